import { once } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { text as textOfStream } from 'node:stream/consumers'
import pg from 'pg'
import * as copy from 'pg-copy-streams'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import type { Query } from './ways'

/** What is asked in one form, and all there is of its answer: an error is an answer. */
export type Form = (query: Query) => Promise<unknown>

/** A form that is given to `query` and answered by a promise, once for each of these lists of arguments. */
const given =
  (...calls: readonly (readonly unknown[])[]): Form =>
  async (query) => {
    const answers: unknown[] = []
    for (const args of calls) answers.push(await settled(query(...args.map(fresh))))
    return answers
  }

/** The same by a callback, which is told as often and of as much as pg tells it. */
const calledBack =
  (...calls: readonly (readonly unknown[])[]): Form =>
  async (query) => {
    const told: unknown[] = []
    for (const args of calls) {
      await new Promise<void>((resolve) => {
        const returned = query(...args.map(fresh), (...all: unknown[]) => {
          told.push(all.map(shown))
          resolve()
        })
        told.push({ returned })
      })
    }
    return told
  }

/** pg and ours may write on what they are given. */
function fresh(argument: unknown): unknown {
  const isPlain = typeof argument === 'object' && argument?.constructor === Object
  return isPlain ? { ...argument } : argument
}

async function settled(answer: unknown): Promise<unknown> {
  return Promise.resolve(answer).then((value) => ({ value: shown(value) }), shown)
}

/**
 * Of a result all that pg documents, and of which class it is: its parsers are functions of its own. Of an error what the server and pg
 * say of it: which line of its code says so is the server's matter, and of COPY a standby says that it is in recovery.
 */
function shown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shown)
  if (value instanceof Result) {
    const { command, rowCount, oid, rows, fields } = value as pg.QueryResult
    return { Result, command, rowCount, oid, rows, fields }
  }
  if (!(value instanceof Error)) return value
  const { message, code, position } = value as Error & { readonly code?: unknown; readonly position?: unknown }
  return { name: value.constructor.name, message: code === '25006' ? undefined : message, code, position }
}

const { Result } = pg as unknown as { readonly Result: new () => object }

const upper = { getTypeParser: () => (text: string | Buffer) => `<${String(text)}>` }
const kinds = 'select $1::int, $2::text, $3::jsonb, $4::int[], $5::timestamptz, $6::bytea, $7::bool, $8::text, $9::text'
const valuesOf = (): unknown[] => [
  7,
  "it's",
  { a: [1] },
  [1, null, 3],
  new Date(86_400_000),
  Buffer.from('\0ab'),
  true,
  null,
  { toPostgres: () => 'mine' },
]
const all = 'select id, name, at from things order by id'

/** Those that every way takes. */
export const forms: Readonly<Record<string, Form>> = {
  'a text': given([all], [''], ['select'], ['values (1), (2)'], ['table things'], ['show server_encoding']),
  'values of all kinds': given(
    [kinds, valuesOf()],
    [{ text: kinds, values: valuesOf() }],
    [{ text: kinds }, valuesOf()],
  ),
  'a named statement, twice': given(
    [{ name: 'things', text: 'select name from things where id = $1', values: [1] }],
    [{ name: 'things', text: 'select name from things where id = $1', values: [2] }],
  ),
  'a name for another text': given(
    [{ name: 'one', text: 'select 1' }],
    [{ name: 'one', text: 'select 2' }],
    [{ name: 'one', text: 'select 1' }],
  ),
  'rows as arrays': given([{ text: all, rowMode: 'array' }], [{ text: 'select 1 as a, 2 as a', rowMode: 'array' }]),
  'custom types': given([{ text: all, types: upper }]),
  'binary results': given([
    { text: "select 7::int as n, 'x'::text as t, $1::bool as b", values: [true], binary: true },
  ]),
  'the extended protocol': given([{ text: all, queryMode: 'extended' }], [{ text: all, rows: 1 }]),
  'several statements': given(
    ['select 1 as a; select 2 as b; show server_encoding'],
    [{ text: 'select 1; select 2', rowMode: 'array' }],
    ['declare c cursor for table things; fetch 2 from c; close c'],
  ),
  'a statement that fails': given(
    ['select 1/0'],
    ['select nothing'],
    ['select $1::int', ['no number']],
    ['selec'],
    [{}],
  ),
  'a statement that writes': given(
    [`insert into things values (9, 'x', now())`],
    ['create table made (id int)'],
    ["select nextval('numbers')"],
    ['select * from things for update'],
    [`select 1; insert into things values (9, 'x', now()); select 2`],
    [{ name: 'writes', text: 'delete from things where id = $1', values: [1] }],
  ),
  'a callback': calledBack([all], [kinds, valuesOf()], [{ text: all }], [{ text: kinds }, valuesOf()], ['select 1/0']),
  'many rows': given(['select n, repeat(n::text, 9) from generate_series(1, 5000) as n']),
  'an object of pg’s': async (query) => {
    const object = new pg.Query(all)
    const rows: unknown[] = []
    object.on('row', (row: unknown) => rows.push(row))
    const ended = once(object, 'end')
    await Promise.all([query(object), ended])
    return [rows, (await ended).map(shown)]
  },
  'a stream of rows': async (query) => {
    const stream = new QueryStream('select n from generate_series(1, $1::int) as n', [250], { batchSize: 100 })
    const rows = (async () => {
      const read: unknown[] = []
      for await (const row of stream) read.push(row)
      return read
    })()
    const [, read] = await Promise.all([query(stream), rows])
    return read
  },
}

/** Those for whoever holds a client. */
export const formsOnOneClient: Readonly<Record<string, Form>> = {
  'a cursor': async (query) => {
    const cursor = query(new Cursor(all)) as Cursor<unknown>
    const read = [await cursor.read(2), await cursor.read(9), await cursor.read(9)]
    await cursor.close()
    return [read, await settled(query('select 1'))]
  },
  'a cursor that is closed early': async (query) => {
    const cursor = query(new Cursor('select generate_series(1, $1::int)', [1000])) as Cursor<unknown>
    const read = await cursor.read(1)
    await cursor.close()
    return [read, await settled(query('select 1'))]
  },
  'a stream that is left early': async (query) => {
    const stream = query(new QueryStream('select generate_series(1, 1000) as n')) as QueryStream
    let first: unknown
    for await (const row of stream) {
      first = row
      break
    }
    return [first, await settled(query('select 1'))]
  },
  'cursors and statements of SQL': given(
    ['prepare things_of as select name from things where id = $1'],
    ['execute things_of (2)'],
    ['deallocate things_of'],
    ["set local application_name = 'held'"],
    ["select set_config('application_name', 'held', true)"],
    ['explain (costs off) table things'],
  ),
  'COPY to the client': async (query) => {
    const stream = query(copy.to('copy things (id, name) to stdout')) as copy.CopyToStreamQuery
    return [await textOfStream(stream), stream.rowCount, await settled(query('select 1'))]
  },
  'COPY of a query to the client': async (query) => {
    const stream = query(copy.to('copy (select generate_series(1, 9999)) to stdout with csv')) as copy.CopyToStreamQuery
    const lines: string[] = []
    const sink = new Writable({ write: (chunk, _encoding, done) => (lines.push(String(chunk)), done()) })
    await pipeline(stream, sink)
    return [lines.join(''), await settled(query('select 1'))]
  },
  'COPY from the client': async (query) => {
    const stream = query(copy.from('copy things from stdin')) as copy.CopyStreamQuery
    const failed = finished(stream).catch(shown)
    Readable.from(['9\tx\t2026-01-01\n']).pipe(stream)
    return failed
  },
  'a cursor that fails': async (query) => {
    const cursor = query(new Cursor('select 1/0')) as Cursor<unknown>
    return settled(cursor.read(1))
  },
  'a stream that fails': async (query) => {
    const stream = query(new QueryStream('select 1/(3 - n) from generate_series(1, 9) as n')) as QueryStream
    const failed = finished(stream).catch(shown)
    stream.resume()
    return failed
  },
}
