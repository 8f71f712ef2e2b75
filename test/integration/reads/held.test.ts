import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import pg from 'pg'
import * as copy from 'pg-copy-streams'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Pool } from '../../../src/index'
import { isUnsupportedStatementError, readOnly } from '../../../src/index'
import { sent } from '../parsed/support/recorder'
import { useCluster } from '../pool/support/clusters'
import { rejection } from '../pool/support/pools'
import { kinds, openOn } from './support/kinds'
import { onOneClient } from './support/ways'
import type { Query } from './support/ways'

const cluster = useCluster({ hosts: 2 })

/** What belongs to the leader: on a standby it would act there, on a standby's behalf. */
const refused = [
  ['select pg_advisory_lock(7)', 'pg_advisory_lock()'],
  ['select PG_TRY_ADVISORY_XACT_LOCK(7)', 'pg_try_advisory_xact_lock()'],
  ['select pg_terminate_backend(1)', 'pg_terminate_backend()'],
  ['select pg_cancel_backend(1)', 'pg_cancel_backend()'],
  ['listen news', 'LISTEN'],
  ['unlisten news', 'UNLISTEN'],
  ["notify news, 'a'", 'NOTIFY'],
  ["select pg_notify('news', 'a')", 'pg_notify()'],
  ['select pg_export_snapshot()', 'pg_export_snapshot()'],
  ['select last_value from numbers', 'last_value'],
  ['select pg_current_wal_lsn()', 'pg_current_wal_lsn()'],
  ['select lo_create(0)', 'lo_create()'],
  ['lock table things in access share mode', 'LOCK'],
  ['checkpoint', 'CHECKPOINT'],
  ['select pg_reload_conf()', 'pg_reload_conf()'],
  ["copy things to '/dev/null'", 'COPY … TO a file or a program'],
  ['set work_mem = 1000; select pg_advisory_lock(7)', 'pg_advisory_lock()'],
  ['prepare locked as select pg_advisory_lock(7)', 'pg_advisory_lock()'],
] as const

/** What is about the session that is held, and what every server refuses in it by itself. */
const letThrough: readonly (readonly [text: string, code?: string])[] = [
  ["set application_name = 'held'"],
  ["set local application_name = 'held'"],
  ["select set_config('app.tenant', '7', false)"],
  ['prepare held as select 1'],
  ['execute held'],
  ['explain execute held'],
  ['deallocate held'],
  ['declare c cursor for table things'],
  ['fetch 1 from c'],
  ['close c'],
  ['select pg_backend_pid()'],
  ['select setseed(0.5)'],
  ['reset application_name'],
  ["select currval('numbers')", '55000'],
  ["select nextval('numbers')", '25006'],
  ["select setval('numbers', 7)", '25006'],
  ['create temporary table mine (id int)', '25006'],
]

/** Everybody who can be told of an error, and what he is told. */
const told: Readonly<Record<string, (query: Query, text: string) => Promise<unknown>>> = {
  'a promise': (query, text) => rejection(query(text) as Promise<unknown>),
  'the promise of a named statement': (query, text) => rejection(query({ name: 'a', text }) as Promise<unknown>),
  'a callback': (query, text) => new Promise((resolve) => query(text, resolve)),
  'a callback behind values': (query, text) => new Promise((resolve) => query({ text }, [], resolve)),
  'a callback in its options': (query, text) => new Promise((callback) => query({ text, callback })),
  'an object of pg’s': async (query, text) => {
    const object = new pg.Query(text)
    expect(query(object)).toBe(object)
    return ((await once(object, 'error')) as unknown[])[0]
  },
  'a cursor': (query, text) => rejection((query(new Cursor(text)) as Cursor<unknown>).read(1)),
  'a stream of rows': (query, text) => rejection((query(new QueryStream(text)) as QueryStream).toArray()),
  'the callback of a stream': (query, text) =>
    new Promise((resolve) => {
      const stream = query(new QueryStream(text), resolve) as QueryStream
      stream.on('error', () => undefined)
    }),
  'a stream of COPY': (query, text) => rejection(finished(query(copy.to(text)) as copy.CopyToStreamQuery)),
}

beforeAll(async () => {
  await (await cluster().primary()).query('create table things (id int); create sequence numbers')
  await cluster().waitForReplication()
})

describe.each(kinds)('on %s', (kind) => {
  let pool: Pool
  let port: number

  beforeAll(async () => ({ pool, port } = await openOn(kind, cluster())))

  afterAll(() => pool.end())

  describe.each(Object.entries(onOneClient))('%s', (way, hold) => {
    it.each(refused)('is refused, and not sent: %s', async (text, what) => {
      await hold(pool, async (query) => {
        sent.length = 0
        const error = await rejection(query(text) as Promise<unknown>)
        expect(sent).toEqual([])
        expect(error).toMatchObject({ name: 'UnsupportedStatementError', code: '0A000' })
        expect(error.message).toContain(`${what}: `)
        expect(error.message).toContain('pool.connect()')
        expect(await query('select 1 as n')).toMatchObject({ rows: [{ n: 1 }] })
      })
    })

    it('is let through what is about its own session, and what its server refuses by itself', async () => {
      await hold(pool, async (query) => {
        if (way !== 'a transaction') await query('begin')
        sent.length = 0
        for (const [text, code] of letThrough) {
          await query('savepoint before')
          const outcome = await (query(text) as Promise<unknown>).then(
            () => undefined,
            (error: unknown) => (error as pg.DatabaseError).code,
          )
          expect([text, outcome]).toEqual([text, code])
          if (code !== undefined) await query('rollback to savepoint before')
        }
        expect([...new Set(sent.map((each) => each.port))]).toEqual([port])
        if (way !== 'a transaction') await query('rollback')
      })
    })

    it.each(Object.entries(told))('tells a refusal to %s', async (_what, ask) => {
      await hold(pool, async (query) => {
        for (const text of ['select pg_advisory_lock(7)', 'begin read write']) {
          sent.length = 0
          expect(await ask(query, text)).toMatchObject({ code: expect.stringMatching(/^(0A000|25000)$/) as string })
          expect(sent).toEqual([])
        }
        expect(await query('select 1 as n')).toMatchObject({ rows: [{ n: 1 }] })
      })
    })
  })

  it('a stream is read for what it is: marked, pinned, or one that lets its session write', async () => {
    const read = async (text: string, mark: object = {}): Promise<unknown> => {
      const stream = new QueryStream(text)
      const rows = stream.toArray()
      await Promise.all([pool.query(Object.assign(stream, mark)), rows])
      return rows
    }
    const { port: leader } = await cluster().primary()
    const where = `current_setting('port')::int as port`
    expect(await read(`/* pg-leader: read-only */ select ${where}`)).toEqual([{ port }])
    expect(await read(`select ${where}`, { readOnly: true })).toEqual([{ port }])
    expect(await readOnly(() => read(`select ${where}`))).toEqual([{ port }])
    expect(await read(`select ${where}`)).toEqual([{ port: leader }])
    const pinned = `select pg_try_advisory_xact_lock(7) as got, ${where}`
    expect(await read(pinned, { readOnly: true })).toEqual([{ got: true, port: leader }])
    const asked = pool.readOnly.query(new QueryStream('set transaction_read_only = off') as never) as Promise<unknown>
    expect(isUnsupportedStatementError(await rejection(asked))).toBe(true)
  })
})
