import { beforeAll, afterEach, describe, expect, it } from 'vitest'
import { poll } from '../../support'
import { createTable } from './support/load'
import { heal, keyOf, useCluster } from './support/clusters'
import { rejection, usePools } from './support/pools'

const cluster = useCluster({ hosts: 2 })
const makePool = usePools()

beforeAll(async () => {
  const primary = await cluster().primary()
  await primary.query(createTable)
  await primary.query(`create function refused() returns int language plpgsql as
    $$ begin set local transaction_read_only = on; insert into written values ('refused'); return 1; end $$`)
})

afterEach(async () => {
  for (const host of cluster().hosts) {
    await host.start()
    await host.query('alter system reset default_transaction_read_only')
    await host.query('select pg_reload_conf()')
  }
  await heal(cluster())
})

const idsOf = async (id: string): Promise<number> =>
  (await (await cluster().primary()).query('select from written where id = $1', [id])).length

describe('25006 from a host that was taken for the leader', () => {
  it('fenced by default_transaction_read_only: its clients are retired, and the statement is held for the next leader', async () => {
    const primary = await cluster().primary()
    // The monitor sleeps: the statement itself is the first news.
    const { pool, failovers } = makePool({
      connectionString: cluster().connectionString(),
      monitor: { intervalMillis: 600_000 },
      aliveCheckMillis: Infinity,
    })
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()])
    for (const client of clients) client.release()
    expect(pool.idleCount).toBe(3)
    const removed = new Set<unknown>()
    pool.on('remove', (client) => removed.add(client))
    await primary.query('alter system set default_transaction_read_only = on')
    await primary.query('select pg_reload_conf()')
    await poll(
      async () =>
        (await primary.query<{ on: boolean }>(`select current_setting('default_transaction_read_only')::bool as on`))[0]
          ?.on,
      {
        what: 'the fence is up',
      },
    )
    const write = pool.query('insert into written values ($1)', ['fenced'])
    await poll(() => pool.topology.leader === undefined, { what: 'the demotion is noticed' })
    // What the pool has from then on are sessions on the standbys, made in advance.
    expect(removed).toEqual(new Set(clients))
    expect(pool.idleCount).toBe(0)
    expect(pool.topology.hosts.find(({ host }) => host === keyOf(primary))).toMatchObject({ role: 'read-only' })
    await cluster().failover(
      cluster().hosts.find((host) => host !== primary)!,
      { lose: 'fast' },
    )
    expect((await write).rowCount).toBe(1)
    expect(await idsOf('fenced')).toBe(1)
    await poll(() => failovers.length > 0, { what: 'the failover is told' })
    expect(failovers).toMatchObject([{ from: keyOf(primary), replayed: 1, unknown: 0 }])
  })

  it('fenced while a client is checked out: the caller gets the error, and the client is not used again', async () => {
    const primary = await cluster().primary()
    const { pool } = makePool({ connectionString: cluster().connectionString(), monitor: { intervalMillis: 600_000 } })
    const client = await pool.connect()
    await primary.query('alter system set default_transaction_read_only = on')
    await primary.query('select pg_reload_conf()')
    const error = await poll(
      () =>
        client.query('insert into written values ($1)', ['checked out']).then(
          () => undefined,
          (told: unknown) => told,
        ),
      { what: 'the refusal' },
    )
    expect(error).toMatchObject({ code: '25006' })
    await poll(() => pool.topology.leader === undefined, { what: 'the demotion is noticed' })
    client.release()
    await poll(() => pool.totalCount === 0, { what: 'the client is gone' })
    await primary.query('alter system reset default_transaction_read_only')
    await primary.query('select pg_reload_conf()')
    await pool.query('insert into written values ($1)', ['unfenced'])
    expect(await idsOf('unfenced')).toBe(1)
  })

  it('a leader that comes back as a standby is left for the one that leads', async () => {
    const old = await cluster().primary()
    const next = cluster().hosts.find((host) => host !== old)!
    const { pool, failovers } = makePool({ connectionString: cluster().connectionString() })
    await pool.query('select 1')
    await cluster().switchover(next)
    await pool.query('insert into written values ($1)', ['switched'])
    expect(await idsOf('switched')).toBe(1)
    await poll(() => pool.topology.hosts.find(({ host }) => host === keyOf(old))?.role === 'standby', {
      what: 'the old leader is a standby',
    })
    expect(failovers).toMatchObject([{ from: keyOf(old), to: keyOf(next) }])
  })
})

describe('25006 from a leader that is well', () => {
  it.each([
    { what: 'a function that sets transaction_read_only', text: 'select refused()' },
    { what: 'BEGIN READ ONLY', text: `begin read only; insert into written values ('refused'); commit` },
  ])('$what: the error is the answer', async ({ text }) => {
    const { pool, failovers } = makePool({ connectionString: cluster().connectionString() })
    await pool.query('select 1')
    const error = await rejection(pool.query({ text, idempotent: true }))
    expect(error).toMatchObject({ code: '25006', severity: 'ERROR' })
    expect((await pool.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }])
    expect(pool.topology.generation).toBe(1)
    expect(failovers).toEqual([])
    expect(await idsOf('refused')).toBe(0)
  })

  it('an internal error or a missing feature is the answer as well', async () => {
    const { pool } = makePool({ connectionString: cluster().connectionString() })
    expect(
      await rejection(pool.query(`do $$ begin raise exception 'x' using errcode = 'XX000'; end $$`)),
    ).toMatchObject({ code: 'XX000' })
    expect(await rejection(pool.query('select 1 union select 2 for update'))).toMatchObject({ code: '0A000' })
    expect(
      await rejection(pool.query(`do $$ begin raise exception 'x' using errcode = '57P01'; end $$`)),
    ).toMatchObject({ code: '57P01' })
    expect(pool.topology.generation).toBe(1)
    await pool.query('select 1')
  })
})
