import type pg from 'pg'
import { expect } from 'vitest'
import { Pool } from '../../../src/index'
import type { PoolConfig, TransactionOptions } from '../../../src/index'
import type { FakeServer, FakeServerOptions } from './fake-server'
import type { Stage } from './stage'

/** The two ways into the library: a pool that follows, and one of one host with none of our options. */
export const doors = {
  following: (stage: Stage, server: FakeServer, config?: PoolConfig): Pool => stage.pool([server], config),
  plain: (stage: Stage, server: FakeServer, config?: PoolConfig): Pool => stage.plain(Pool, server, config) as Pool,
} as const

export type Door = keyof typeof doors
export const everyDoor = Object.keys(doors) as Door[]

/** One server and one pool, over whose next client of its own a statement has gone already, or not. */
export interface Ground {
  readonly server: FakeServer
  readonly pool: Pool
}

export async function ground(
  stage: Stage,
  door: Door,
  options: FakeServerOptions & { readonly config?: PoolConfig } = {},
): Promise<Ground> {
  const { config, ...role } = options
  const server = await stage.server(role)
  const pool = doors[door](stage, server, config)
  await pool.connect().then((client) => client.release())
  return { server, pool }
}

export const insert = 'insert into t values (1) returning n'

/** What a transaction's function does by default. */
const insertOne = async (client: pg.PoolClient): Promise<unknown> => (await client.query(insert)).rowCount

/**
 * What becomes of `pool.transaction`: its outcome, how often its function ran, and how often its write was committed on the
 * server.
 */
export async function transact(
  stage: Stage,
  { pool, server }: Ground,
  work: (client: pg.PoolClient, run: number) => Promise<unknown> = insertOne,
  options: TransactionOptions = {},
): Promise<string> {
  let runs = 0
  const outcome = await stage.outcome((callback) => {
    const run = (client: pg.PoolClient): Promise<unknown> => work(client, (runs += 1))
    pool.transaction(run, options).then(() => callback(undefined, { command: 'value' }), callback)
  })
  return `${outcome.replace(/ 0$/, '')}, ran ${runs}×, ${committed(server)}`
}

/** How often a write was committed. */
export function committed({ ledger }: FakeServer): string {
  return `committed ${ledger.committed.length}×`
}

/** Whatever was met before, the pool goes on. */
export async function goesOn(stage: Stage, { pool }: Ground): Promise<void> {
  expect(await stage.outcome((callback) => pool.query('select 2', callback))).toBe('SELECT 1')
}
