import type pg from 'pg'
import { isTransactionRolledBackError } from '../../../../src/index'
import type { Pool } from '../../../../src/index'

/** pg's `query`, in all of its forms. */
export type Query = (...args: readonly unknown[]) => unknown

/** A way to ask for reads: runs `work` with what asks in this way. */
export type Way = <T>(pool: Pool, work: (query: Query) => Promise<T>) => Promise<T>

/** What asks a pool or a client. */
export const queryOf =
  (asked: object): Query =>
  (...args) =>
    Reflect.apply<object, readonly unknown[], unknown>((asked as { query: Query }).query, asked, args)

/** Each statement goes where it likes. */
export const byStatement: Readonly<Record<string, Way>> = {
  'a mark': (pool, work) => {
    const marked = (query: unknown): object =>
      Object.assign(typeof query === 'string' ? { text: query } : (query as object), { readOnly: true })
    return work((query, ...rest) => queryOf(pool)(marked(query), ...rest))
  },
  'pool.readOnly': (pool, work) => work(queryOf(pool.readOnly)),
}

/** All go over one client. */
export const onOneClient: Readonly<Record<string, Way>> = {
  'a client of pool.readOnly': async (pool, work) => {
    const client = await pool.readOnly.connect()
    try {
      return await work(queryOf(client))
    } finally {
      client.release()
    }
  },
  'a transaction': async (pool, work) => {
    let answer: { readonly of: Awaited<ReturnType<typeof work>> } | undefined
    const run = async (client: object): Promise<void> => {
      answer = { of: await work(queryOf(client)) }
    }
    await pool.transaction(run, { readOnly: true }).catch((error: unknown) => {
      // What the work has met was an answer to it.
      if (!isTransactionRolledBackError(error)) throw error
    })
    if (answer === undefined) throw new Error('the transaction has not been run')
    return answer.of
  },
}

/** The same with pg alone. */
export const plainly: Readonly<Record<string, <T>(pool: pg.Pool, work: (query: Query) => Promise<T>) => Promise<T>>> = {
  'a mark': (pool, work) => work(queryOf(pool)),
  'pool.readOnly': (pool, work) => work(queryOf(pool)),
  'a client of pool.readOnly': (pool, work) => onPlainClient(pool, work),
  'a transaction': (pool, work) =>
    onPlainClient(pool, async (query) => {
      await query('begin')
      return work(query)
    }),
}

async function onPlainClient<T>(pool: pg.Pool, work: (query: Query) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    return await work(queryOf(client))
  } finally {
    client.release(true)
  }
}
