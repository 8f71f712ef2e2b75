import { expect } from 'vitest'
import pg from 'pg'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { pgPackage } from './support/implementations'
import { parity } from './support/parity'
import { useServer } from './support/server'
import { next, rejection, turn, until } from './support/until'

const server = useServer()

parity(server, 'every promise form', async (subject) => {
  const pool = subject.pool()
  const forms = [
    pool.query('select 1 as n'),
    pool.query('select $1::int as n', [2]),
    pool.query({ text: 'select 3 as n' }),
    pool.query({ text: 'select $1::int as n', values: [4] }),
    pool.query({ text: 'select $1::int as n' }, [5]),
    pool.query('select 6 as n', undefined),
  ]
  for (const promise of forms) {
    expect(promise).toBeInstanceOf(Promise)
    const { rows, rowCount, command, fields, oid } = await promise
    subject.note('result', rows, rowCount, command, oid, fields)
  }
  await pool.end()
})

parity(server, 'every callback form', async (subject) => {
  const pool = subject.pool()
  const { note } = subject
  const untyped = pool.query as unknown as (...args: unknown[]) => unknown
  const forms: ((done: (error: Error, result: pg.QueryResult) => void) => unknown)[] = [
    (done) => pool.query('select 1 as n', done),
    (done) => pool.query('select $1::int as n', [2], done),
    (done) => pool.query({ text: 'select 3 as n' }, done),
    (done) => pool.query({ text: 'select $1::int as n', values: [4] }, done),
    (done) => untyped.call(pool, { text: 'select $1::int as n' }, [5], done),
    (done) => untyped.call(pool, 'select 6 as n', undefined, done),
    (done) => untyped.call(pool, 'select 7 as n', null, done),
  ]
  for (const form of forms) {
    await new Promise<void>((resolve) => {
      let returned = false
      const value = form((...args) => {
        expect(returned).toBe(true)
        note('called back', args.length, args[0], args[1].rows)
        resolve()
      })
      returned = true
      note('returned', value)
    })
  }
  await pool.end()
})

parity(server, 'a result has all that a result of pg has', async (subject) => {
  const pool = subject.pool()
  await pool.query('create table if not exists results (a int, b text)')
  for (const text of [
    'select 1 as a, null as b',
    "insert into results values (1, 'x'), (2, 'y')",
    'update results set b = a::text where a > 0 returning a',
    'delete from results',
    'begin',
    'select from results',
    '',
  ]) {
    const result = await pool.query(text)
    expect(result).toBeInstanceOf((pg as unknown as { Result: new () => object }).Result)
    subject.note(text, Object.keys(result), result.command, result.rowCount, result.rows)
  }
  await pool.end()
})

parity(server, 'text with several statements has several results', async (subject) => {
  const pool = subject.pool()
  const result = (await pool.query('select 1 as a; select 2 as b; select 3 as c')) as unknown as pg.QueryResult[]
  expect(result.map(({ rows }) => rows as unknown[])).toEqual([[{ a: 1 }], [{ b: 2 }], [{ c: 3 }]])
  await pool.end()
})

parity(server, 'rowMode array', async (subject) => {
  const pool = subject.pool()
  const { rows } = await pool.query({ text: 'select 1, 2 as a, 3 as a', rowMode: 'array' })
  expect(rows).toEqual([[1, 2, 3]])
  await pool.end()
})

parity(server, 'types of a query, of a pool, and of a checked-out client', async (subject) => {
  const upper = {
    getTypeParser: () => (text: string | Buffer) => `<${String(text)}>`,
  } as unknown as pg.CustomTypesConfig
  const pool = subject.pool()
  expect((await pool.query({ text: 'select 1 as n', types: upper })).rows).toEqual([{ n: '<1>' }])
  expect((await pool.query('select 1 as n')).rows).toEqual([{ n: 1 }])
  const client = await pool.connect()
  client.setTypeParser(pg.types.builtins.INT4, (text: string) => Number(text) * 100)
  expect((await client.query('select 1 as n')).rows).toEqual([{ n: 100 }])
  client.release()
  await pool.end()

  const typed = subject.pool({ types: upper })
  expect((await typed.query("select 1 as n, 'a' as t")).rows).toEqual([{ n: '<1>', t: '<a>' }])
  await typed.end()
})

parity(server, 'binary results', async (subject) => {
  const pool = subject.pool()
  const { rows } = await pool.query({
    text: "select 7::int as n, 'x'::text as t",
    binary: true,
  } as pg.QueryConfig)
  subject.note('rows', rows)
  await pool.end()
})

parity(server, 'a named statement is parsed once per connection', async (subject) => {
  const pool = subject.pool({ max: 1 })
  for (const n of [1, 2]) {
    const { rows } = await pool.query({ name: 'same', text: 'select $1::int as n', values: [n] })
    expect(rows).toEqual([{ n }])
  }
  const { rows } = await pool.query('select name, statement from pg_prepared_statements')
  expect(rows).toEqual([{ name: 'same', statement: 'select $1::int as n' }])
  const error = await rejection(pool.query({ name: 'same', text: 'select 2' }))
  subject.note('another text', error)
  await pool.end()
})

parity(server, 'a pg.Query with a callback of its own', async (subject) => {
  const pool = subject.pool({ max: 2 })
  const acquired = next(pool, 'acquire') as Promise<[pg.PoolClient]>
  const Query = pg.Query as unknown as new (
    text: string,
    values: unknown[],
    callback: (...args: unknown[]) => void,
  ) => pg.Submittable
  const seen = new Promise<pg.QueryResult>((resolve) => {
    const query = new Query('select $1::int as n', [1], (_error, result) => {
      resolve(result as pg.QueryResult)
    })
    const returned: unknown = pool.query(query)
    subject.note('returned a promise', returned instanceof Promise)
  })
  expect((await seen).rows).toEqual([{ n: 1 }])
  subject.counts(pool)
  // nothing tells the pool that the query is over: pg never gives this client back
  const [client] = await acquired
  client.release(true)
  await pool.end()
})

// With the lowest pg a Submittable that brings no callback gets none: neither the caller nor the pool is ever answered.
const answersSubmittables = pgPackage === 'pg'

async function settleSubmittable(pool: pg.Pool, acquired: Promise<[pg.PoolClient]>, result: unknown): Promise<unknown> {
  if (answersSubmittables) {
    const value = await (result as Promise<unknown>)
    await until(() => pool.idleCount === 1)
    return value
  }
  const unanswered = Symbol('unanswered')
  const value = await Promise.race([
    result,
    turn()
      .then(turn)
      .then(() => unanswered),
  ])
  expect(value).toBe(unanswered)
  const [client] = await acquired
  client.release(true)
  return undefined
}

parity(server, 'a pg.Query without a callback', async (subject) => {
  const pool = subject.pool()
  const acquired = next(pool, 'acquire') as Promise<[pg.PoolClient]>
  const rows: unknown[] = []
  const query = new pg.Query('select generate_series(1, 3) as n')
  query.on('row', (row: unknown) => {
    rows.push(row)
  })
  const ended = next(query, 'end')
  const answer: unknown = pool.query(query)
  await ended
  const result = (await settleSubmittable(pool, acquired, answer)) as Partial<pg.QueryResult> | undefined
  subject.note('resolved', typeof result, result?.rowCount)
  expect(rows).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
  await pool.end()
})

parity(server, 'a query stream through pool.query', async (subject) => {
  const pool = subject.pool()
  const acquired = next(pool, 'acquire') as Promise<[pg.PoolClient]>
  const stream = new QueryStream('select generate_series(1, $1) as n', [5])
  const rows: unknown[] = []
  stream.on('data', (row: unknown) => rows.push(row))
  const ended = next(stream, 'end')
  const answer: unknown = pool.query(stream)
  await ended
  subject.note('resolved', typeof (await settleSubmittable(pool, acquired, answer)))
  expect(rows).toEqual([1, 2, 3, 4, 5].map((n) => ({ n })))
  await pool.end()
})

parity(server, 'a query stream on a checked-out client', async (subject) => {
  const pool = subject.pool()
  const client = await pool.connect()
  const stream = client.query(new QueryStream('select generate_series(1, 3) as n'))
  const rows: unknown[] = []
  for await (const row of stream) rows.push(row)
  expect(rows).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
  client.release()
  await pool.end()
})

parity(server, 'a cursor on a checked-out client', async (subject) => {
  const pool = subject.pool()
  const client = await pool.connect()
  const cursor = client.query(new Cursor<{ n: number }>('select generate_series(1, 5) as n'))
  expect(await cursor.read(2)).toEqual([{ n: 1 }, { n: 2 }])
  expect(await cursor.read(9)).toEqual([{ n: 3 }, { n: 4 }, { n: 5 }])
  expect(await cursor.read(9)).toEqual([])
  await cursor.close()
  expect((await client.query('select 1 as n')).rows).toEqual([{ n: 1 }])
  client.release()
  await pool.end()
})

parity(server, 'queries queued on one checked-out client are answered in order', async (subject) => {
  const pool = subject.pool()
  const client = await pool.connect()
  const results = await Promise.all([1, 2, 3].map((n) => client.query<{ n: number }>('select $1::int as n', [n])))
  expect(results.map(({ rows }) => rows[0]!.n)).toEqual([1, 2, 3])
  client.release()
  await pool.end()
})

parity(server, 'LISTEN on a checked-out client', async (subject) => {
  const pool = subject.pool()
  const client = await pool.connect()
  await client.query('listen parity')
  const news = next(client, 'notification')
  await pool.query("select pg_notify('parity', 'hello')")
  const [message] = (await news) as [pg.Notification]
  expect([message.channel, message.payload]).toEqual(['parity', 'hello'])
  subject.note('notification', Object.keys(message).sort())
  client.release(true)
  await pool.end()
})

parity(server, 'notices of a checked-out client', async (subject) => {
  const pool = subject.pool()
  const client = await pool.connect()
  client.on('notice', (notice) => {
    subject.note('notice', notice.message, notice.severity, notice.code)
  })
  await client.query("do $$ begin raise notice 'hear this'; end $$")
  client.release()
  await pool.end()
  expect(subject.lines).toHaveLength(1)
})

parity(server, 'a transaction on a checked-out client', async (subject) => {
  const pool = subject.pool()
  const client = await pool.connect()
  await client.query('create temp table t (n int)')
  await client.query('begin')
  await client.query('insert into t values (1)')
  await client.query('rollback')
  expect((await client.query('select count(*)::int as n from t')).rows).toEqual([{ n: 0 }])
  const status = (client as { getTransactionStatus?: () => string | null }).getTransactionStatus?.()
  subject.note('status', status)
  client.release()
  await pool.end()
})
