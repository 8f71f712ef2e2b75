import { beforeEach, expect, it } from 'vitest'
import type { Pool } from '../../../src/index'
import { poll } from '../../support'
import type { Host } from '../../support'
import { heal, keyOf, useCluster } from '../pool/support/clusters'
import { usePools } from '../pool/support/pools'
import { load } from './support/load'
import type { Load } from './support/load'

const cluster = useCluster()
const makePool = usePools()

const open = (config: object = {}): Pool =>
  makePool({
    connectionString: cluster().connectionString(),
    failoverTimeoutMillis: 20_000,
    monitor: { intervalMillis: 100, timeoutMillis: 300 },
    ...config,
  }).pool

beforeEach(() => heal(cluster()))

const standbys = async (): Promise<readonly Host[]> => {
  const primary = await cluster().primary()
  return cluster().hosts.filter((host) => host !== primary)
}

/** Both standbys are read from. */
async function underWay(pool: Pool): Promise<Load> {
  const reads = load(pool)
  await poll(() => new Set(reads.ports.slice(-50)).size === 2, { what: 'both standbys are read from' })
  return reads
}

it.each<[string, (host: Host) => Promise<unknown>, (host: Host) => Promise<unknown>]>([
  ['killed', (host) => host.kill(), (host) => host.start()],
  ['stopped', (host) => host.stop('fast'), (host) => host.start()],
  ['stopped at once', (host) => host.stop('immediate'), (host) => host.start()],
  ['restarted', (host) => host.restart(), () => Promise.resolve()],
  ['frozen', (host) => host.freeze(), (host) => host.thaw()],
])('a standby that is %s: no read fails, and it is read from again when it is back', async (_what, inflict, mend) => {
  const pool = open()
  const [lost, other] = await standbys()
  const reads = await underWay(pool)
  await inflict(lost!)
  await reads.more(200)
  if (!lost!.running || lost!.frozen) {
    await poll(() => !reads.ports.slice(-100).includes(lost!.port), { what: 'the lost one is not read from' })
    expect(reads.ports.slice(-100)).toContain(other!.port)
  }
  await mend(lost!)
  await poll(() => reads.ports.slice(-100).includes(lost!.port), { what: 'it is read from again' })
  await reads.stop()
  expect(reads.errors).toEqual([])
})

it('the leader is killed: reads go on without it, no read fails, and nothing is written meanwhile', async () => {
  const pool = open()
  const primary = await cluster().primary()
  const reads = await underWay(pool)
  await primary.kill()
  await poll(() => pool.topology.leader === undefined, { what: 'there is no leader' })
  const write = pool.query('select pg_is_in_recovery() as standby')
  await reads.more(300)
  expect(new Set(reads.ports.slice(-200)).has(primary.port)).toBe(false)
  await primary.start()
  expect((await write).rows).toEqual([{ standby: false }])
  await reads.stop()
  expect(reads.errors).toEqual([])
})

it('a standby is promoted: no read fails, and the others are read from', async () => {
  const pool = open()
  const reads = await underWay(pool)
  const [promoted, other] = await standbys()
  await cluster().switchover(promoted!)
  await poll(() => pool.topology.leader === keyOf(promoted!), { what: 'it leads' })
  await heal(cluster())
  await poll(() => !reads.ports.slice(-100).includes(promoted!.port), { what: 'it is not read from' })
  expect(reads.ports.slice(-100)).toContain(other!.port)
  await reads.stop()
  expect(reads.errors).toEqual([])
})

it('every standby is lost: the leader is read from, and a standby again when there is one', async () => {
  const pool = open()
  const primary = await cluster().primary()
  const lost = await standbys()
  const reads = await underWay(pool)
  await Promise.all(lost.map((host) => host.kill()))
  await poll(() => reads.ports.at(-1) === primary.port, { what: 'the leader is read from' })
  await reads.more(50)
  await lost[0]!.start()
  await poll(() => reads.ports.slice(-50).every((port) => port === lost[0]!.port), { what: 'the standby is read from' })
  await reads.stop()
  expect(reads.errors).toEqual([])
})

it('a read in conflict with recovery is sent to another host', async () => {
  const primary = await cluster().primary()
  await primary.query(
    'drop table if exists conflicted; create table conflicted as select generate_series(1, 1000) as n',
  )
  for (const host of await standbys()) {
    await host.query(`alter system set max_standby_streaming_delay = '0'`)
    await host.query('select pg_reload_conf()')
  }
  const pool = open()
  await poll(
    async () => {
      const found = await Promise.allSettled(
        (await standbys()).map((host) => host.query<{ n: number }>('select count(*)::int as n from conflicted')),
      )
      return found.every((each) => each.status === 'fulfilled' && each.value[0]?.n === 1000)
    },
    { what: 'the standbys have the table' },
  )
  const slow = { text: 'select count(*)::int as n, pg_sleep(1) from conflicted', readOnly: true }
  const reads = Array.from({ length: 6 }, () => pool.query<{ n: number }>(slow))
  await poll(
    async () =>
      (
        await Promise.all(
          (await standbys()).map((host) =>
            host.query(
              `select from pg_stat_activity where query like '%pg_sleep(1)%' and state = 'active' and pid <> pg_backend_pid()`,
            ),
          ),
        )
      ).flat().length === 6,
    { what: 'all of them are under way' },
  )
  await primary.query('delete from conflicted where n > 500')
  await primary.query('vacuum conflicted')
  const counts = (await Promise.all(reads)).map(({ rows }) => rows[0]!.n)
  expect(counts.every((n) => n === 1000 || n === 500)).toBe(true)
  expect(counts).toContain(500)
})
