import { setTimeout as sleep } from 'node:timers/promises'
import { poll } from '../../../support'
import type { Cluster, Host } from '../../../support'
import { aStandby, heal } from '../../pool/support/clusters'
import type { Writers } from './writers'

/** What is done to a cluster while transactions are under way. */
export interface Fault {
  readonly what: string
  /** A single loss of a host that is watched, on a direct path: of none of its transactions the fate stays unknown. */
  readonly single: boolean
  readonly inflict: (cluster: Cluster, writers: Writers) => Promise<void>
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

/** Nobody looks anything up until strangers have used up what ids there were. */
async function withStrangers(cluster: Cluster, writers: Writers, happens: () => Promise<Host>): Promise<void> {
  const paused = writers.pool.pause().catch(() => undefined)
  const primary = await happens()
  await primary.query('call burn(300)')
  writers.pool.resume()
  await paused
  // Some wait for a standby.
  await heal(cluster)
}

/** The standbys get no more, and what is written from then on is lost with the primary. */
export async function cutReplication(cluster: Cluster, primary: Host): Promise<void> {
  for (const standby of others(cluster, primary)) {
    await standby.query(`alter system set primary_conninfo = ''`)
    await standby.query('select pg_reload_conf()')
  }
  await poll(async () => (await primary.query('select from pg_stat_replication')).length === 0, {
    what: `nobody receives from ${primary.name}`,
  })
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

export const faults: readonly Fault[] = [
  {
    what: 'crash and restart in place',
    single: true,
    inflict: async (cluster, writers) => {
      const primary = await cluster.primary()
      await withStrangers(cluster, writers, async () => {
        await primary.kill()
        await primary.start()
        return primary
      })
    },
  },
  {
    what: 'clean restart in place',
    single: true,
    inflict: async (cluster) => (await cluster.primary()).restart('fast'),
  },
  {
    what: 'a backend killed -9 during COMMIT, and all others with it',
    single: true,
    inflict: async (cluster) => {
      const primary = await cluster.primary()
      const [pid = 0] = await committing(primary)
      await primary.killBackend(pid)
    },
  },
  {
    what: 'backends terminated during COMMIT',
    single: true,
    inflict: async (cluster) => {
      const primary = await cluster.primary()
      for (const pid of await committing(primary)) await primary.query('select pg_terminate_backend($1)', [pid])
    },
  },
  {
    what: 'kill -9 and promotion',
    single: true,
    inflict: async (cluster, writers) => {
      const primary = await cluster.primary()
      await withStrangers(cluster, writers, async () => {
        await primary.kill()
        return promoteAnother(cluster, primary)
      })
    },
  },
  {
    what: 'kill -9 with a lost tail, and promotion',
    single: true,
    inflict: async (cluster, writers) => {
      const primary = await cluster.primary()
      await cutReplication(cluster, primary)
      // Half of them wait for a standby from now on.
      await writers.progress(5)
      await withStrangers(cluster, writers, async () => {
        await primary.kill()
        return promoteAnother(cluster, primary)
      })
    },
  },
  {
    what: 'switchover',
    single: true,
    inflict: async (cluster) => cluster.switchover(await aStandby(cluster)),
  },
  {
    what: 'two failovers in a row',
    single: false,
    inflict: async (cluster, writers) => {
      const first = await cluster.primary()
      await withStrangers(cluster, writers, async () => {
        await first.kill()
        const second = await promoteAnother(cluster, first)
        await heal(cluster)
        await second.query('call burn(100)')
        await cluster.waitForReplication()
        await second.kill()
        return promoteAnother(cluster, first, second)
      })
    },
  },
  {
    what: 'two crashes in a row',
    single: false,
    inflict: async (cluster, writers) => {
      const primary = await cluster.primary()
      await withStrangers(cluster, writers, async () => {
        await primary.kill()
        await primary.start()
        await primary.query('call burn(300)')
        await primary.kill()
        await primary.start()
        return primary
      })
    },
  },
  {
    what: 'a crash, and a clean restart after it',
    single: false,
    inflict: async (cluster, writers) => {
      const primary = await cluster.primary()
      await withStrangers(cluster, writers, async () => {
        await primary.kill()
        await primary.start()
        await primary.query('call burn(300)')
        await primary.restart('fast')
        return primary
      })
    },
  },
  {
    what: 'a crash with a restart in place, and a failover after it',
    single: false,
    inflict: async (cluster, writers) => {
      const primary = await cluster.primary()
      await withStrangers(cluster, writers, async () => {
        await primary.kill()
        await primary.start()
        await primary.query('call burn(300)')
        await cluster.waitForReplication()
        await primary.kill()
        return promoteAnother(cluster, primary)
      })
    },
  },
  {
    what: 'a frozen primary, and a promotion',
    single: false,
    inflict: async (cluster, writers) => {
      const primary = await cluster.primary()
      await withStrangers(cluster, writers, async () => {
        await primary.freeze()
        await sleep(20)
        return promoteAnother(cluster, primary)
      })
      await writers.progress(1)
      await primary.kill()
    },
  },
]
