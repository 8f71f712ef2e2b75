import { drizzle } from 'drizzle-orm/node-postgres'
import { integer, pgTable } from 'drizzle-orm/pg-core'
import type pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Pool, PoolConfig } from '../../../src/index'
import { FaultProxy, poll } from '../../support'
import { cutReplication } from '../../support/cut-replication'
import { aStandby, heal, useCluster } from '../pool/support/clusters'
import { rejection, usePools } from '../pool/support/pools'
import { useKept } from './support/kept'
import { LateRelay } from './support/late-relay'
import { useMarkers } from './support/markers'

const cluster = useCluster({ hosts: 2 })
beforeEach(() => heal(cluster()))
const makePool = usePools()
const kept = useKept(cluster)
const markers = useMarkers(cluster)
const table = pgTable('kept', { id: integer('id').primaryKey() })

const ways: { close(): Promise<void> }[] = []
afterEach(() => Promise.all(ways.splice(0).map((way) => way.close())))

const through = ({ port }: { readonly port: number }, config: PoolConfig = {}): Pool => {
  const { user, password, database } = cluster()
  const hosts = [{ host: '127.0.0.1', port }]
  const ours = { outcome: { table: 'markers' }, targetSessionAttrs: 'read-write', max: 1 } as const
  return makePool({ hosts, user, password, database, ...ours, ...config }).pool
}

/** A pool that reaches the leader over a proxy, which is whole again as soon as a client has been lost. */
async function overProxy(config: PoolConfig = {}): Promise<{ readonly proxy: FaultProxy; readonly pool: Pool }> {
  const proxy = await FaultProxy.start((await cluster().primary()).port)
  ways.push(proxy)
  const pool = through(proxy, config)
  pool.on('connect', (client) => client.once('end', () => proxy.heal()))
  return { proxy, pool }
}

async function overRelay(): Promise<{ readonly relay: LateRelay; readonly pool: Pool }> {
  const relay = await LateRelay.start((await cluster().primary()).port)
  ways.push(relay)
  return { relay, pool: through(relay) }
}

/** Runs it as a transaction whose COMMIT meets with `fault`; resolves with how often it was run. */
async function transact(pool: Pool, fault: (client: pg.PoolClient) => unknown): Promise<number> {
  let calls = 0
  const value = await pool.transaction(async (client) => {
    calls += 1
    await client.query('insert into kept values ($1)', [calls])
    if (calls === 1) await fault(client)
    return calls
  })
  expect(value).toBe(calls)
  return calls
}

describe('a transaction whose COMMIT goes unanswered', () => {
  it('is found, over a proxy, by its marker', async () => {
    const { proxy, pool } = await overProxy()
    expect(await transact(pool, () => proxy.cutAfter('down', 0))).toBe(1)
    expect([await kept(), await markers()]).toMatchObject([[1], [{ committed: true }]])
  })

  it('is run again where its COMMIT never arrived', async () => {
    const { proxy, pool } = await overProxy()
    expect(await transact(pool, () => proxy.cutAfter('up', 0))).toBe(2)
    expect(await kept()).toEqual([2])
    // What stands in the way of the first one is there as well.
    expect((await markers()).map(({ committed }) => committed).sort()).toEqual([false, true])
  })

  it('can come as late as it likes: its session, which has heard of nothing, is ended before it is run again', async () => {
    const { relay, pool } = await overRelay()
    const running = transact(pool, () => relay.hold())
    await poll(() => relay.holds('commit'), { what: 'COMMIT is on its way', intervalMillis: 1 })
    relay.drop()
    expect(await running).toBe(2)
    await relay.deliver()
    expect(await kept()).toEqual([2])
    expect(await (await cluster().primary()).log()).toContain('terminating connection due to administrator command')
  })

  it('waits for a standby, is not disturbed in that, and is found when it has waited', async () => {
    const primary = await cluster().primary()
    const standby = await aStandby(cluster())
    const { proxy, pool } = await overProxy()
    const waiting = `select from pg_stat_activity where wait_event = 'SyncRep'`
    try {
      const running = transact(pool, async () => {
        await primary.query(`alter system set synchronous_standby_names = '*'`)
        await primary.query('select pg_reload_conf()')
        await poll(
          async () => (await primary.query(`select from pg_stat_replication where sync_state = 'sync'`)).length,
          {
            what: 'the standby is a synchronous one',
          },
        )
        await standby.freeze()
      })
      await poll(async () => (await primary.query(waiting)).length > 0, { what: 'COMMIT waits' })
      proxy.reset()
      // Longer than a session of ours is borne that does something else.
      const timeouts = async (): Promise<number> => (await primary.log()).split('due to lock timeout').length - 1
      const before = await timeouts()
      await poll(async () => (await timeouts()) >= before + 8, { what: 'it was asked for again and again' })
      expect(await primary.query(waiting)).toHaveLength(1)
      await standby.thaw()
      expect(await running).toBe(1)
    } finally {
      await standby.thaw()
      await primary.query('alter system reset synchronous_standby_names')
      await primary.query('select pg_reload_conf()')
    }
    expect([await kept(), await markers()]).toMatchObject([[1], [{ committed: true }]])
  })

  it.each([
    ['committed', 'down', 1],
    ['rolled back', 'up', 2],
  ] as const)('is known to be %s in sessions that are serializable by default', async (_fate, direction, calls) => {
    const { proxy, pool } = await overProxy({ options: '-c default_transaction_isolation=serializable' })
    expect(await transact(pool, () => proxy.cutAfter(direction, 0))).toBe(calls)
    expect(await kept()).toEqual([calls])
  })
})

describe('a statement that is executed exactly once, with a marker', () => {
  const insert = { text: 'insert into kept values ($1) returning id', values: [1], exactlyOnce: true }

  it('is done, and its rows are gone, where nothing of the answer came', async () => {
    const { proxy, pool } = await overProxy()
    await pool.query('select 1')
    proxy.cutAfter('down', 0)
    expect(await rejection(pool.query(insert))).toMatchObject({ name: 'ResultLostError', outcome: 'committed' })
    expect(await kept()).toEqual([1])
  })

  it('is sent again where it never arrived', async () => {
    const { proxy, pool } = await overProxy()
    await pool.query('select 1')
    proxy.cutAfter('up', 0)
    expect((await pool.query(insert)).rows).toEqual([{ id: 1 }])
    expect(await kept()).toEqual([1])
  })

  it('that comes too late is not executed: it is in hand already', async () => {
    const { relay, pool } = await overRelay()
    await pool.query('select 1')
    relay.hold()
    const answered = pool.query(insert)
    await poll(() => relay.holds('insert into kept'), { what: 'it is on its way', intervalMillis: 1 })
    relay.drop()
    expect((await answered).rows).toEqual([{ id: 1 }])
    await (await cluster().primary()).query('delete from kept')
    expect(await relay.deliver()).toContain('23505')
    expect(await kept()).toEqual([])
  })
})

describe('somebody’s COMMIT with a marker', () => {
  it.each([
    ['nothing of the answer comes through', 0],
    ['the marker’s answer comes through', 70],
  ])('succeeds as if nothing had happened where it is done: %s', async (_what, bytes) => {
    const { proxy, pool } = await overProxy()
    const value = await drizzle(pool).transaction(async (tx) => {
      await tx.insert(table).values({ id: 1 })
      proxy.cutAfter('down', bytes)
      return 'done'
    })
    expect(value).toBe('done')
    expect(await kept()).toEqual([1])
    expect(await drizzle(pool).select().from(table)).toEqual([{ id: 1 }])
  })

  it('is found wherever the session looks for tables', async () => {
    const primary = await cluster().primary()
    await primary.query('create schema aside; create table aside.markers (like public.markers including all)')
    const { proxy, pool } = await overProxy()
    const client = await pool.connect()
    await client.query('begin')
    await client.query('insert into kept values (1)')
    await client.query('set search_path = aside')
    proxy.cutAfter('down', 0)
    expect((await client.query('commit')).command).toBe('COMMIT')
    client.release(true)
    expect(await primary.query('select from aside.markers')).toEqual([])
    await primary.query('drop schema aside cascade')
  })

  it('says that it was rolled back where it never arrived, and so does the ROLLBACK after it', async () => {
    const { proxy, pool } = await overProxy()
    const error = await rejection(
      drizzle(pool).transaction(async (tx) => {
        await tx.insert(table).values({ id: 1 })
        proxy.cutAfter('up', 0)
      }),
    )
    expect(error['cause']).toMatchObject({ name: 'TransactionRolledBackError', outcome: 'aborted' })
    expect(await kept()).toEqual([])
  })

  it('that comes too late is refused', async () => {
    const { relay, pool } = await overRelay()
    const client = await pool.connect()
    await client.query('begin')
    await client.query('insert into kept values (1)')
    relay.hold()
    const committed = rejection(client.query('commit'))
    await poll(() => relay.holds('savepoint'), { what: 'it is on its way', intervalMillis: 1 })
    relay.drop()
    expect(await committed).toMatchObject({ name: 'TransactionRolledBackError', outcome: 'aborted' })
    client.release(true)
    expect(await relay.deliver()).toContain('23505')
    expect(await kept()).toEqual([])
  })
})

describe('a failover', () => {
  /** The primary commits and dies before its answer is read; resolves with how often the transaction was run. */
  async function survive(isReplicated: boolean): Promise<number> {
    const primary = await cluster().primary()
    const next = await aStandby(cluster())
    const config = { connectionString: cluster().connectionString(), outcome: { table: 'markers' } }
    const { pool } = makePool(config)
    if (!isReplicated) await cutReplication(cluster(), primary)
    return transact(pool, (client) => {
      client.connection.stream.pause()
      void poll(async () => (await kept()).length > 0, { what: 'it is committed', intervalMillis: 1 })
        .then(() => (isReplicated ? cluster().waitForReplication() : undefined))
        .then(() => primary.kill())
        .then(() => cluster().promote(next))
    })
  }

  it('after which the leader has the marker: it is not run again', async () => {
    expect(await survive(true)).toBe(1)
    expect([await kept(), await markers()]).toMatchObject([[1], [{ committed: true }]])
  })

  it('after which it has not got it: it is run again', async () => {
    expect(await survive(false)).toBe(2)
    expect(await kept()).toEqual([2])
  })
})
