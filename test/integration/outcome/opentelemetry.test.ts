import { createRequire } from 'node:module'
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
import pg from 'pg'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Pool, PoolConfig } from '../../../src/index'
import { FaultProxy, poll } from '../../support'
import { useCluster } from '../pool/support/clusters'
import { rejection, usePools } from '../pool/support/pools'

const exporter = new InMemorySpanExporter()
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
provider.register()
const tracer = provider.getTracer('test')
const instrumentation = new PgInstrumentation()
instrumentation.setTracerProvider(provider)
// It patches what is required, in place.
const require = createRequire(import.meta.url)
require('pg')
createRequire(require.resolve('pg'))('pg-pool')

const cluster = useCluster({ hosts: 2 })
const makePool = usePools()

const following = (config: PoolConfig = {}): Pool =>
  makePool({ connectionString: cluster().connectionString(), max: 1, ...config }).pool

beforeEach(async () => {
  instrumentation.setConfig({})
  const primary = await cluster().primary()
  await primary.query('drop table if exists kept; create table kept (id int primary key)')
})

const addComments = (): void => instrumentation.setConfig({ addSqlCommenterCommentToQueries: true })

async function kept(): Promise<readonly number[]> {
  const rows = await (await cluster().primary()).query<{ id: number }>('select id from kept order by id')
  return rows.map(({ id }) => id)
}

/** The spans that come of it, in order, each with what it is a child of and how it ended. */
async function spansOf(work: () => Promise<unknown>): Promise<readonly string[]> {
  exporter.reset()
  const traceId = await tracer.startActiveSpan('test', async (span) => {
    await work().finally(() => span.end())
    return span.spanContext().traceId
  })
  const spans = exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId)
  const nameOf = (id: string | undefined) => spans.find((span) => span.spanContext().spanId === id)?.name
  return spans.map((span) => `${span.name} < ${nameOf(span.parentSpanContext?.spanId)}: ${span.status.code}`).sort()
}

/** What goes out on the connections of a pool from now on: statements, Flush and Sync. */
function record(pool: Pool): string[] {
  const sent: string[] = []
  const wrap = (
    connection: Record<string, (...args: unknown[]) => void>,
    name: string,
    say: (sent: never) => string,
  ) => {
    const act = connection[name]?.bind(connection)
    connection[name] = (...args) => {
      sent.push(say(args[0] as never))
      act?.(...args)
    }
  }
  const textOf = (text: string): string => (text.includes('pg_logical_emit_message') ? 'witness' : text)
  pool.on('connect', ({ connection }) => {
    const methods = connection as never
    wrap(methods, 'parse', ({ text }: { text: string }) => textOf(text))
    wrap(methods, 'query', textOf)
    wrap(methods, 'flush', () => 'flush')
    wrap(methods, 'sync', () => 'sync')
  })
  return sent
}

/** A session of somebody else's that holds a lock. */
async function hold(text: string): Promise<pg.Client> {
  const holder = new pg.Client({ connectionString: cluster().connectionStringFor(await cluster().primary()) })
  holder.on('error', () => undefined)
  await holder.connect()
  await holder.query(text)
  return holder
}

const insert = { text: 'insert into kept values ($1) returning id', values: [1], exactlyOnce: true }

describe('OpenTelemetry’s instrumentation of pg', () => {
  it('sees what it sees of pg.Pool', async () => {
    const primary = await cluster().primary()
    const plain = new pg.Pool({ connectionString: cluster().connectionStringFor(primary), max: 1 })
    const ours = following({ outcome: 'witness' })
    for (const pool of [plain, ours]) await pool.query('select 1')
    const byHand = (pool: pg.Pool) => async () => {
      const client = await pool.connect()
      await client.query('begin')
      await client.query('delete from kept')
      await client.query('commit')
      client.release()
    }
    const text = 'select $1::int as n'
    const query = (config: object) => (pool: pg.Pool) => () => pool.query({ text, values: [1], ...config })
    const seen = await spansOf(query({})(plain))
    expect(seen).toHaveLength(3)
    expect(await spansOf(query({})(ours))).toEqual(seen)
    expect(await spansOf(query({ exactlyOnce: true })(ours))).toEqual(seen)
    const transaction = await spansOf(byHand(plain))
    expect(transaction).toHaveLength(5)
    expect(await spansOf(byHand(ours))).toEqual(transaction)
    expect(await spansOf(() => ours.transaction((client) => client.query('delete from kept')))).toEqual(transaction)
    const failing = (pool: pg.Pool) => () =>
      pool.query({ ...insert, text: 'insert into kept values ($1), ($1)' }).catch(() => undefined)
    expect(await spansOf(failing(ours))).toEqual(await spansOf(failing(plain)))
    await plain.end()
  })

  it('lets exactlyOnce and COMMIT go out as they are, and with comments as it makes them', async () => {
    const pool = following({ outcome: 'witness' })
    const sent = record(pool)
    const run = async () => {
      await pool.query('truncate kept')
      sent.length = 0
      const { rows } = await pool.query({ ...insert, rowMode: 'array' })
      const client = await pool.connect()
      await client.query('begin')
      await client.query({ text: 'insert into kept values ($1)', values: [2] })
      const { command } = await client.query('commit')
      client.release()
      return { rows: rows as unknown, command }
    }
    expect(await run()).toEqual({ rows: [[1]], command: 'COMMIT' })
    expect(sent.slice(0, 4)).toEqual(['witness', insert.text, 'flush', 'sync'])
    expect(sent.slice(-4)).toEqual(['witness', 'flush', 'commit', 'sync'])
    addComments()
    expect(await run()).toEqual({ rows: [[1]], command: 'COMMIT' })
    expect(sent.slice(0, 2)).toEqual([expect.stringMatching(/^insert .*\/\*traceparent/), 'sync'])
    expect(sent.at(-1)).toMatch(/^commit \/\*traceparent/)
    expect(await kept()).toEqual([1, 2])
  })

  it('changes nothing in what is looked up', async () => {
    const holder = await hold('select pg_advisory_lock(1)')
    await (
      await cluster().primary()
    ).query(`create or replace function await_holder() returns trigger language plpgsql as
      $$ begin perform pg_advisory_xact_lock(1); return null; end $$;
      create constraint trigger slow after insert on kept deferrable initially deferred
        for each row execute function await_holder()`)
    const pool = following()
    const sent = record(pool)
    let seen = 0
    pool.on('connect', (client) => {
      client.connection.prependListener('commandComplete', () => {
        seen += 1
        // The first is that of the witness; the transaction is not committed before the lock is free.
        if (seen !== 2) return
        client.once('end', () => void holder.query('select pg_advisory_unlock(1)'))
        client.connection.stream.destroy()
      })
    })
    expect((await pool.query(insert)).rows).toEqual([{ id: 1 }])
    expect(sent.filter((text) => text === insert.text)).toHaveLength(1)
    expect(sent.some((text) => text.includes('pg_xact_status'))).toBe(true)
    expect(await kept()).toEqual([1])
    await pool.end()
    await holder.end()
  })

  it.each([
    ['is sent again where that is proved to be safe', false],
    ['is never sent again where its comments kept the proof away', true],
  ])('a statement whose backend dies %s', async (_what, comments) => {
    const pool = following({ failoverTimeoutMillis: 20_000 })
    const sent = record(pool)
    await pool.query({ text: 'select 1', exactlyOnce: true })
    sent.length = 0
    const primary = await cluster().primary()
    const holder = await hold('begin; lock table kept in exclusive mode')
    if (comments) addComments()
    const answered = pool.query(insert).then(
      ({ rows }) => rows as unknown,
      (error: unknown) => (error as Error).name,
    )
    const isWaiting = 'select pid from pg_locks where not granted'
    const pid = await poll(async () => (await primary.query<{ pid: number }>(isWaiting))[0]?.pid, { what: 'it waits' })
    await primary.killBackend(pid)
    const outcome = await answered
    await poll(
      () =>
        cluster()
          .primary()
          .catch(() => undefined),
      { what: 'it has recovered' },
    )
    expect(outcome).toEqual(comments ? 'OutcomeUnknownError' : [{ id: 1 }])
    expect(sent.filter((text) => text.startsWith('insert')).length).toBe(comments ? 1 : 2)
    expect(await kept()).toEqual(comments ? [] : [1])
    await holder.end().catch(() => undefined)
  })

  it.each(['exactlyOnce', 'COMMIT'] as const)(
    '%s with comments is unknown when its answer is lost, and is not sent again',
    async (which) => {
      const { user, password, database } = cluster()
      const proxy = await FaultProxy.start((await cluster().primary()).port)
      const hosts = [{ host: '127.0.0.1', port: proxy.port }]
      const pool = following({
        connectionString: undefined,
        hosts,
        targetSessionAttrs: 'read-write',
        outcome: 'witness',
        user,
        password,
        database,
      })
      const sent = record(pool)
      await pool.query({ text: 'select 1', exactlyOnce: true })
      addComments()
      const client = which === 'COMMIT' ? await pool.connect() : undefined
      await client?.query('begin')
      await client?.query('insert into kept values (1)')
      sent.length = 0
      proxy.cutAfter('down', 0)
      const error = await rejection(client === undefined ? pool.query(insert) : client.query('commit'))
      expect(error).toMatchObject({ name: 'OutcomeUnknownError', outcome: 'unknown' })
      client?.release()
      expect(sent.filter((text) => /^(insert|commit)/.test(text))).toHaveLength(1)
      expect(await kept()).toEqual([1])
      proxy.heal()
      await pool.end()
      await proxy.close()
    },
  )
})
