import { setTimeout as sleep } from 'node:timers/promises'
import { poll } from '../../../support'
import type { Cluster, Host } from '../../../support'
import { cutReplication } from '../../../support/cut-replication'
import { aStandby, heal } from '../../pool/support/clusters'
import type { Writers } from './writers'

/** What is done to a cluster while transactions are under way. */
export interface Fault {
  readonly what: string
  /** A single loss of a host that is watched, on a direct path: of none of its transactions the fate stays unknown. */
  readonly single: boolean
  readonly inflict: (primary: Host, cluster: Cluster, writers: Writers) => Promise<void>
}

/** Sessions of strangers take transaction ids, so many at a time. */
export const burnProcedure = `create procedure burn(count int) language plpgsql as $$
  begin
    for i in 1 .. count loop
      perform pg_current_xact_id();
      commit;
    end loop;
  end $$`

const others = (cluster: Cluster, ...these: readonly Host[]): readonly Host[] =>
  cluster.hosts.filter((host) => !these.includes(host))

/**
 * Something after which the host that it gives leads; nobody looks anything up until strangers have used up what ids there
 * were.
 */
function unseen(happens: (primary: Host, cluster: Cluster) => Promise<Host>): Fault['inflict'] {
  return async (primary, cluster, writers) => {
    const paused = writers.pool.pause().catch(() => undefined)
    const next = await happens(primary, cluster)
    await next.query('call burn(300)')
    writers.pool.resume()
    await paused
    // Some wait for a standby.
    await heal(cluster)
  }
}

/** A crash, and strangers at work on the server that came of it. */
async function crash(primary: Host): Promise<void> {
  await primary.restart('kill')
  await primary.query('call burn(300)')
}

/** The process ids of sessions that are at a COMMIT just now, the one of ours last. */
async function committing(primary: Host): Promise<readonly number[]> {
  const text = `select pid from pg_stat_activity where query = 'commit' and state = 'active'`
  const rows = await poll(
    async () => {
      const found = await primary.query<{ pid: number }>(text)
      return found.length > 0 ? found : undefined
    },
    { what: 'somebody commits', intervalMillis: 1 },
  )
  return rows.map(({ pid }) => pid)
}

async function promoteAnother(cluster: Cluster, ...not: readonly Host[]): Promise<Host> {
  const [next] = others(cluster, ...not).filter((host) => host.running)
  if (next === undefined) throw new Error('nobody is left to be promoted')
  await cluster.promote(next)
  return next
}

const killAndPromote = unseen(async (primary, cluster) => {
  await primary.kill()
  return promoteAnother(cluster, primary)
})

const freezeAndPromote = unseen(async (primary, cluster) => {
  await primary.freeze()
  await sleep(20)
  return promoteAnother(cluster, primary)
})

export const faults: readonly Fault[] = [
  {
    what: 'crash and restart in place',
    single: true,
    inflict: unseen(async (primary) => {
      await primary.restart('kill')
      return primary
    }),
  },
  {
    what: 'clean restart in place',
    single: true,
    inflict: (primary) => primary.restart('fast'),
  },
  {
    what: 'a backend killed -9 during COMMIT, and all others with it',
    single: true,
    inflict: async (primary) => {
      const [pid = 0] = await committing(primary)
      await primary.killBackend(pid)
    },
  },
  {
    what: 'backends terminated during COMMIT',
    single: true,
    inflict: async (primary) => {
      for (const pid of await committing(primary)) await primary.query('select pg_terminate_backend($1)', [pid])
    },
  },
  { what: 'kill -9 and promotion', single: true, inflict: killAndPromote },
  {
    what: 'kill -9 with a lost tail, and promotion',
    single: true,
    inflict: async (primary, cluster, writers) => {
      await cutReplication(cluster, primary)
      // Half of them wait for a standby from now on.
      await writers.progress(5)
      await killAndPromote(primary, cluster, writers)
    },
  },
  {
    what: 'switchover',
    single: true,
    inflict: async (_primary, cluster) => cluster.switchover(await aStandby(cluster)),
  },
  {
    what: 'two failovers in a row',
    single: false,
    inflict: unseen(async (first, cluster) => {
      await first.kill()
      const second = await promoteAnother(cluster, first)
      await heal(cluster)
      await second.query('call burn(100)')
      await cluster.waitForReplication()
      await second.kill()
      return promoteAnother(cluster, first, second)
    }),
  },
  {
    what: 'two crashes in a row',
    single: false,
    inflict: unseen(async (primary) => {
      await crash(primary)
      await primary.restart('kill')
      return primary
    }),
  },
  {
    what: 'a crash, and a clean restart after it',
    single: false,
    inflict: unseen(async (primary) => {
      await crash(primary)
      await primary.restart('fast')
      return primary
    }),
  },
  {
    what: 'a crash with a restart in place, and a failover after it',
    single: false,
    inflict: unseen(async (primary, cluster) => {
      await crash(primary)
      await cluster.waitForReplication()
      await primary.kill()
      return promoteAnother(cluster, primary)
    }),
  },
  {
    what: 'a frozen primary, and a promotion',
    single: false,
    inflict: async (primary, cluster, writers) => {
      await freezeAndPromote(primary, cluster, writers)
      await writers.progress(1)
      await primary.kill()
    },
  },
]
