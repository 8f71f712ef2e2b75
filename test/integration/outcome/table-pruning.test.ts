import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Pool } from '../../../src/index'
import { poll } from '../../support'
import { useCluster } from '../pool/support/clusters'
import { usePools } from '../pool/support/pools'
import { useKept } from './support/kept'
import { useMarkers } from './support/markers'

const cluster = useCluster({ hosts: 1 })
const makePool = usePools()
useKept(cluster)
const markers = useMarkers(cluster)
// The first time comes as soon as it may.
beforeEach(() => void vi.spyOn(Math, 'random').mockReturnValue(0))

const open = (maxAgeMillis?: number): Pool =>
  makePool({
    connectionString: cluster().connectionString(),
    outcome: { table: 'markers', ...(maxAgeMillis === undefined ? {} : { maxAgeMillis }) },
    max: 1,
  }).pool

/** So many rows that were written so long ago. */
async function age(count: number, hours: number): Promise<void> {
  await (
    await cluster().primary()
  ).query(`insert into markers (id, written_at)
    select gen_random_uuid(), now() - interval '${hours} hours' from generate_series(1, ${count})`)
}

const write = (pool: Pool): Promise<unknown> => pool.transaction(() => undefined)
const count = async (): Promise<number> => (await markers()).length

describe('old markers', () => {
  it('are deleted while the pool writes, batch by batch, and no younger ones with them', async () => {
    await age(2500, 25)
    await age(3, 23)
    const pool = open()
    await write(pool)
    await poll(async () => (await count()) === 4, { what: 'the old ones are gone' })
    // Nobody's client was taken for it.
    expect([pool.totalCount, pool.idleCount]).toEqual([1, 1])
  })

  it('are as old as is said', async () => {
    await age(2, 1)
    await age(1, 0)
    await write(open(1_800_000))
    await poll(async () => (await count()) === 2, { what: 'the old ones are gone' })
  })

  it('are deleted by ten pools at once without any of them waiting for another', async () => {
    await age(500, 25)
    const primary = await cluster().primary()
    const locking = `begin; select from markers order by written_at limit 100 for update; select pg_sleep(600); commit`
    const held = primary.query(locking).catch(() => undefined)
    const asleep = `select pid from pg_stat_activity where wait_event = 'PgSleep'`
    const pid = await poll(async () => (await primary.query<{ pid: number }>(asleep))[0]?.pid, {
      what: 'some are locked',
    })
    await Promise.all(Array.from({ length: 10 }, () => write(open())))
    await poll(async () => (await count()) === 110, { what: 'all others are gone' })
    await primary.query('select pg_terminate_backend($1)', [pid])
    await held
  })

  it('stay where they are to stay for ever, and where nothing is written', async () => {
    await age(2, 1000)
    await write(open(Infinity))
    await open().transaction((client) => client.query('select 1'), { readOnly: true })
    // Of this one it is known when it has been at it, and it began last.
    await age(1, 6000)
    await write(open(5000 * 3_600_000))
    await poll(async () => (await count()) === 4, { what: 'the oldest one is gone' })
  })

  it('do not trouble anybody where they cannot be deleted', async () => {
    await age(1, 25)
    const primary = await cluster().primary()
    await primary.query(`create function refuse() returns trigger language plpgsql as
      $$ begin raise exception 'not here'; end $$;
      create trigger refuse before delete on markers for each row execute function refuse()`)
    const pool = open()
    await write(pool)
    await poll(async () => (await primary.log()).includes('not here'), { what: 'it was tried' })
    await write(pool)
    expect(await count()).toBe(3)
    await primary.query('drop table markers; drop function refuse()')
  })

  it('are not waited for by the end of the pool', async () => {
    await age(1, 25)
    const primary = await cluster().primary()
    await primary.query(`create function dawdle() returns trigger language plpgsql as
      $$ begin perform pg_sleep(60); return old; end $$;
      create trigger dawdle before delete on markers for each row execute function dawdle()`)
    const pool = open()
    await write(pool)
    const dawdling = `select pid from pg_stat_activity where wait_event = 'PgSleep'`
    const pid = await poll(async () => (await primary.query<{ pid: number }>(dawdling))[0]?.pid, {
      what: 'it is at it',
    })
    const begun = performance.now()
    await pool.end()
    expect(performance.now() - begun).toBeLessThan(10_000)
    await primary.query('select pg_terminate_backend($1)', [pid])
    await primary.query('drop table markers; drop function dawdle()')
  })
})
