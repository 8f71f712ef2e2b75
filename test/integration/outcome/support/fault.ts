import type { Cluster, Host } from '../../../support'
import { heal } from '../../pool/support/clusters'
import type { Between, Network } from './network'
import type { Writers } from './writers'

/** What is done to a cluster while transactions are under way. */
export interface Fault {
  readonly what: string
  /** A single loss of a host that is watched, on a direct path: of none of its transactions the fate stays unknown. */
  readonly single: boolean
  /** What stands between the writers and the servers; nothing, where it is not said. */
  readonly between?: Between
  /** Not all of what is acknowledged and lost can be told: strangers have its ids, on a history as long as its own. */
  readonly disguised?: boolean
  /** Somebody says that another history is ours: of what was done in the one before nothing is known. */
  readonly resets?: boolean
  readonly inflict: (primary: Host, cluster: Cluster, writers: Writers, network: Network) => Promise<void>
}

/** Sessions of strangers take transaction ids, so many at a time. */
export const burnProcedure = `create procedure burn(count int) language plpgsql as $$
  begin
    for i in 1 .. count loop
      perform pg_current_xact_id();
      commit;
    end loop;
  end $$`

export const others = (cluster: Cluster, ...these: readonly Host[]): readonly Host[] =>
  cluster.hosts.filter((host) => !these.includes(host))

/** Nobody looks anything up while this happens, nor until strangers have used up what ids there were where it leads to. */
export async function unheard(writers: Writers, happens: () => Promise<Host>): Promise<Host> {
  const paused = writers.pool.pause().catch(() => undefined)
  const next = await happens()
  await next.query('call burn(300)')
  writers.pool.resume()
  await paused
  return next
}

/** The same for something after which the host that it gives leads, and the others follow it. */
export function unseen(happens: (primary: Host, cluster: Cluster) => Promise<Host>): Fault['inflict'] {
  return async (primary, cluster, writers) => {
    await unheard(writers, () => happens(primary, cluster))
    await heal(cluster)
  }
}
