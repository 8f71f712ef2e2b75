import { beforeAll, expect, it } from 'vitest'
import { poll } from '../../support'
import { aStandby, keyOf, useCluster } from './support/clusters'
import { countRows, createTable, startLoad } from './support/load'
import { usePools } from './support/pools'

const cluster = useCluster({ settings: { log_statement: 'all' } })
const makePool = usePools()

beforeAll(async () => {
  await (await cluster().primary()).query(createTable)
})

/** Sessions of a pool on one server, its monitor's left out. */
const sessions = `select pid, query from pg_stat_activity
  where application_name = $1 and query not like '%pg_is_in_recovery%'`

it('a frozen leader is left, and after it thaws not one statement goes to it', async () => {
  const old = await cluster().primary()
  const next = await aStandby(cluster())
  const name = 'frozen-leader'
  const { pool, failovers } = makePool({
    connectionString: cluster().connectionString({ application_name: name }),
    monitor: { intervalMillis: 200, timeoutMillis: 500 },
  })
  const before = startLoad(pool, 'before')
  await before.everybodyServed()
  await cluster().failover(next, { lose: 'freeze' })
  await before.everybodyServed()
  await before.stop()
  await poll(() => failovers.length > 0, { what: 'the failover is told' })

  for (const kind of [before.reads, before.idempotent]) expect([...kind.failed, ...kind.unknown]).toEqual([])
  expect(before.writes.failed).toEqual([])
  expect(pool.topology.leader).toBe(keyOf(next))
  const after = startLoad(pool, 'after')
  await after.everybodyServed()
  await old.thaw()
  const role = (): string | undefined => pool.topology.hosts.find(({ host }) => host === keyOf(old))?.role
  await poll(() => role() === 'stale', { what: 'the old leader is seen again' })
  await after.everybodyServed()
  await poll(async () => (await old.query(sessions, [name])).length === 0, { what: 'its old sessions are gone' })
  await after.stop()

  for (const kind of [after.reads, after.idempotent, after.writes]) {
    expect([...kind.failed, ...kind.unknown]).toEqual([])
  }
  expect(await old.log()).not.toContain('after/')
  expect(await next.log()).toContain('after/')
  const rows = await countRows(pool, 'before')
  expect(Math.max(...rows.values())).toBe(1)
  expect(failovers).toMatchObject([{ from: keyOf(old), to: keyOf(next), fromTimeline: 1, toTimeline: 2 }])
})
