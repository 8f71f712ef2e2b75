import { setTimeout as sleep } from 'node:timers/promises'
import { poll } from '../../../support'
import type { Cluster, Host } from '../../../support'
import { cutReplication } from '../../../support/cut-replication'
import { aStandby, heal } from '../../pool/support/clusters'
import { others, unseen } from './fault'
import type { Fault } from './fault'
import { promotedOneAfterTheOther, promotedSideBySide } from './forks'
import type { Network } from './network'

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

/** The sessions in which a COMMIT waits for a standby, at least so many. */
async function waiting(primary: Host, least: number): Promise<readonly number[]> {
  const text = `select pid from pg_stat_activity where wait_event = 'SyncRep'`
  return poll(
    async () => {
      const pids = (await primary.query<{ pid: number }>(text)).map(({ pid }) => pid)
      return pids.length >= least && pids
    },
    { what: `${least} COMMITs wait for a standby` },
  )
}

/** No standby receives any more, COMMITs wait for one, and then the network loses their connections. */
async function cutWhileWaiting(primary: Host, cluster: Cluster, network: Network): Promise<readonly number[]> {
  await cutReplication(cluster, primary)
  const pids = await waiting(primary, 8)
  network.proxies.get(primary)?.reset()
  return pids
}

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
    inflict: async (primary, cluster, writers, network) => {
      await cutReplication(cluster, primary)
      // Half of them wait for a standby from now on.
      await writers.progress(5)
      await killAndPromote(primary, cluster, writers, network)
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
    inflict: async (primary, cluster, writers, network) => {
      await freezeAndPromote(primary, cluster, writers, network)
      await writers.progress(1)
      await primary.kill()
    },
  },
  {
    what: 'a network that loses a COMMIT which waits for a standby, and the standby comes back',
    single: true,
    between: 'proxies',
    inflict: async (primary, cluster, _writers, network) => {
      const before = await cutWhileWaiting(primary, cluster, network)
      // The look-up has done what it does about sessions of ours that go on without us.
      const text = `select from pg_stat_activity where query like '%pg_terminate_backend%' and pid <> pg_backend_pid()`
      await poll(async () => (await primary.query(text)).length > 0, { what: 'the old sessions are looked for' })
      const after = await waiting(primary, before.length)
      const ended = before.filter((pid) => !after.includes(pid))
      if (ended.length > 0) throw new Error(`${ended.length} sessions that waited for a standby have been ended`)
      for (const standby of others(cluster, primary)) await cluster.repoint(standby, primary)
    },
  },
  {
    what: 'a network that loses a COMMIT which waits for a standby, and one is promoted that never got it',
    single: false,
    between: 'proxies',
    inflict: async (primary, cluster, writers, network) => {
      await cutWhileWaiting(primary, cluster, network)
      await killAndPromote(primary, cluster, writers, network)
    },
  },
  {
    what: 'two standbys promoted at one point, the second when the first is lost',
    single: false,
    inflict: promotedOneAfterTheOther,
  },
  {
    what: 'two standbys promoted at one point, side by side, and the first is lost',
    single: false,
    resets: true,
    inflict: promotedSideBySide,
  },
]
