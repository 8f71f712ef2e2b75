import { DrizzleQueryError, eq } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { integer, pgTable } from 'drizzle-orm/pg-core'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Pool } from '../../../src/index'
import { FaultProxy, poll } from '../../support'
import { useCluster } from '../pool/support/clusters'
import { rejection, usePools } from '../pool/support/pools'

const cluster = useCluster({ hosts: 2 })
const makePool = usePools()

const kept = pgTable('kept', { id: integer('id').primaryKey() })

beforeEach(async () => {
  const primary = await cluster().primary()
  await primary.query('drop table if exists kept; create table kept (id int primary key)')
})

const open = (): Pool =>
  makePool({
    connectionString: cluster().connectionString(),
    outcome: 'witness',
    max: 1,
    failoverTimeoutMillis: 20_000,
  }).pool

async function rows(): Promise<readonly unknown[]> {
  return (await cluster().primary()).query('select id from kept order by id')
}

/** COMMIT takes its time: what stands here is done when it has come to the server. */
async function whenCommitting(happens: (pid: number) => Promise<unknown>): Promise<void> {
  const primary = await cluster().primary()
  const text = `select pid from pg_stat_activity where query ilike 'commit' and state = 'active'`
  const pid = await poll(async () => (await primary.query<{ pid: number }>(text))[0]?.pid, { what: 'it commits' })
  await happens(pid)
}

async function slowDownCommits(): Promise<void> {
  const primary = await cluster().primary()
  await primary.query(`create or replace function dawdle() returns trigger language plpgsql as
    $$ begin perform pg_sleep(60); return null; end $$`)
  await primary.query(`create constraint trigger slow after insert on kept deferrable initially deferred
    for each row execute function dawdle()`)
}

/** A pool that reaches the leader over a proxy, which is whole again as soon as a client has been lost. */
async function overProxy(): Promise<{ readonly proxy: FaultProxy; readonly pool: Pool }> {
  const { user, password, database } = cluster()
  const proxy = await FaultProxy.start((await cluster().primary()).port, { reads: true })
  const hosts = [{ host: '127.0.0.1', port: proxy.port }]
  const config = { hosts, user, password, database, targetSessionAttrs: 'read-write', outcome: 'witness' } as const
  const { pool } = makePool({ ...config, max: 1 })
  pool.on('connect', (client) => client.once('end', () => proxy.heal()))
  return { proxy, pool }
}

describe('the transactions of an ORM, with outcome: witness', () => {
  it('send a witness with their COMMIT, which gives no id to those that only read', async () => {
    const pool = open()
    const sent: string[] = []
    const witnessed: unknown[] = []
    pool.on('connect', ({ connection }) => {
      const parse = connection.parse.bind(connection)
      connection.parse = (query: { text: string }, more: never) => {
        sent.push(query.text.includes('pg_logical_emit_message') ? 'witness' : query.text)
        parse(query as never, more)
      }
      connection.on('dataRow', ({ fields }: { fields: unknown[] }) => {
        if (sent.includes('witness')) witnessed.push(fields)
      })
    })
    const db = drizzle(pool)
    expect(await db.transaction((tx) => tx.select().from(kept))).toEqual([])
    expect(sent.slice(-2)).toEqual(['witness', 'commit'])
    expect(witnessed).toEqual([[null, null]])
    await db.transaction((tx) => tx.insert(kept).values({ id: 1 }))
    expect(sent.slice(-2)).toEqual(['witness', 'commit'])
    expect(witnessed[1]).toEqual([expect.stringMatching(/^\d+$/), expect.stringMatching('/')])
    expect(await db.select().from(kept)).toEqual([{ id: 1 }])
  })

  it('go on as if nothing had happened where the answer to COMMIT is lost and it is done', async () => {
    const { proxy, pool } = await overProxy()
    const db = drizzle(pool)
    const value = await db.transaction(async (tx) => {
      await tx.insert(kept).values({ id: 1 })
      const found = await tx.select().from(kept).where(eq(kept.id, 1))
      // The row of the witness, and no more.
      proxy.cutBehind('D')
      return found
    })
    expect(value).toEqual([{ id: 1 }])
    expect(await rows()).toEqual([{ id: 1 }])
    expect(await db.select().from(kept)).toEqual([{ id: 1 }])
    await pool.end()
    await proxy.close()
  })

  it('say that nobody knows, whatever they send to roll back', async () => {
    const { proxy, pool } = await overProxy()
    const error = await rejection(
      drizzle(pool).transaction(async (tx) => {
        await tx.insert(kept).values({ id: 1 })
        proxy.cutAfter('down', 0)
      }),
    )
    expect(error).toBeInstanceOf(DrizzleQueryError)
    expect(error['cause']).toMatchObject({ name: 'OutcomeUnknownError', code: '08007' })
    await pool.end()
    await proxy.close()
  })

  it.each([
    [
      'its session is ended',
      async (pid: number) => (await cluster().primary()).query('select pg_terminate_backend($1)', [pid]),
    ],
    ['its server crashes', async (pid: number) => (await cluster().primary()).killBackend(pid)],
  ])('say that they were rolled back, where COMMIT has begun and %s', async (_what, happens) => {
    await slowDownCommits()
    const db = drizzle(open())
    const failed = rejection(db.transaction((tx) => tx.insert(kept).values({ id: 1 })))
    await whenCommitting(happens)
    const error = await failed
    expect(error).toBeInstanceOf(DrizzleQueryError)
    expect(error['cause']).toMatchObject({ name: 'TransactionRolledBackError', outcome: 'aborted' })
    expect(await db.select().from(kept)).toEqual([])
  })
})
