import { poll } from '../../../support'
import type { Host } from '../../../support'
import { timelineOf } from '../../../support/replication'
import { heal } from '../../pool/support/clusters'
import { others, unheard } from './fault'
import type { Fault } from './fault'

/** Faults of a cluster whose only address is a pooler's. */
export const poolerFaults: readonly Fault[] = [
  {
    what: 'the leader behind a pooler is lost, and the pooler is switched to the next one',
    single: false,
    between: 'pooler',
    inflict: async (primary, cluster, writers, { pooler }) => {
      const [next] = others(cluster, primary)
      await unheard(writers, async () => {
        await primary.kill()
        await cluster.promote(next!)
        pooler?.switchTo(next!)
        return next!
      })
      await heal(cluster)
    },
  },
  {
    what: 'a switchover behind a pooler',
    single: false,
    between: 'pooler',
    inflict: async (primary, cluster, _writers, { pooler }) => {
      const [next] = others(cluster, primary)
      await cluster.switchover(next!)
      pooler?.switchTo(next!)
    },
  },
  {
    what: 'sessions are killed behind a pooler that lends them on of two primaries, the old one and the new',
    single: false,
    between: 'pooler',
    disguised: true,
    inflict: async (primary, cluster, writers, { pooler }) => {
      const [next] = others(cluster, primary)
      const timeline = (await timelineOf(primary)) ?? 0
      await cluster.promote(next!)
      // Nobody follows it yet, and what waits for a standby would keep the pooler's sessions.
      await configure(next!, `set synchronous_standby_names = ''`)
      pooler?.switchTo(next!, { old: 'stays' })
      // In their place come some on the new one.
      await primary.query(endSome)
      const isKnown = (): boolean => writers.pool.topology.hosts[0]?.timeline === timeline + 1
      await poll(isKnown, { what: 'the new timeline is known', intervalMillis: 1 })
      await writers.leave(primary)
      await primary.query('call burn(300)')
      await next!.query('call burn(300)')
      for (let round = 0; round < 20; round += 1) {
        await writers.progress(3)
        for (const host of [primary, next!]) await host.query(endOne)
      }
      await primary.kill()
      await configure(next!, 'reset synchronous_standby_names')
      await heal(cluster)
    },
  },
]

async function configure(host: Host, change: string): Promise<void> {
  await host.query(`alter system ${change}`)
  await host.query('select pg_reload_conf()')
}

/** Half of the pooler's sessions. */
const endSome = `select pg_terminate_backend(pid) from pg_stat_activity
  where backend_type = 'client backend' and pid <> pg_backend_pid() order by pid limit 6`

/** One that is at work with a transaction. */
const endOne = `select pg_terminate_backend(pid) from pg_stat_activity
  where query = 'commit' and state = 'active' limit 1`
