import { createRequire } from 'node:module'
import pg from 'pg'
import * as ours from '../../../src/index'

/** Options of a pool as a JavaScript user may write them: pg's, those that its types leave out included. */
export interface Options extends pg.PoolConfig {
  poolSize?: number
  targetSessionAttrs?: 'read-write'
}

export interface Implementation {
  readonly name: 'pg' | 'pg-leader' | 'pg-leader, following'
  readonly Pool: new (options?: Options) => pg.Pool
  readonly Client: typeof pg.Client
  /** What a user of this row adds to the options of one host. */
  readonly options: Options
  readonly following: boolean
}

/**
 * The first row is the truth of the installed `pg`; the second must be indistinguishable from it; the third watches its
 * one host, and may differ where a body says so.
 */
export const reference: Implementation = {
  name: 'pg',
  Pool: pg.Pool,
  Client: pg.Client,
  options: {},
  following: false,
}

export const candidates: readonly Implementation[] = [
  { name: 'pg-leader', Pool: ours.Pool, Client: ours.Client, options: {}, following: false },
  {
    name: 'pg-leader, following',
    Pool: ours.Pool,
    Client: ours.Client,
    options: { targetSessionAttrs: 'read-write' },
    following: true,
  },
]

const lowest = createRequire(import.meta.url)('pg-8.16') as typeof pg

/** The package name under which this test run finds `pg`: the oldest supported one has an alias. */
export const pgPackage = pg.Client === lowest.Client ? 'pg-8.16' : 'pg'
