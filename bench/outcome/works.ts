import type pg from 'pg'
import type { Pool } from '../../src/index'
import type { Work } from '../support/sides'

/** What is done with certainty by us, and without by pg. */
export interface Comparison {
  readonly ours: (pools: OurPools) => Work
  readonly plain: (pool: pg.Pool) => Work
}

/** Ours on all hosts: as it is, and with its options. */
export interface OurPools {
  readonly following: Pool
  readonly once: Pool
  readonly witness: Pool
}

const insert = 'insert into bench values ($1)'
const select = 'select n from bench where n = $1'

/** BEGIN, a statement and COMMIT, as anybody writes them who holds a client. */
const byHand =
  (text: string) =>
  (pool: pg.Pool): Work =>
  async (count) => {
    const client = await pool.connect()
    await client.query('begin')
    await client.query(text, [count])
    await client.query('commit')
    client.release()
  }

const statement =
  (text: string) =>
  (pool: pg.Pool): Work =>
  (count) =>
    pool.query(text, [count])

export const comparisons: Readonly<Record<string, Comparison>> = {
  'pool.transaction, an insert': {
    ours:
      ({ following }) =>
      (count) =>
        following.transaction((client) => client.query(insert, [count])),
    plain: byHand(insert),
  },
  'exactlyOnce, an insert': { ours: ({ once }) => statement(insert)(once), plain: statement(insert) },
  'exactlyOnce, a select': { ours: ({ once }) => statement(select)(once), plain: statement(select) },
  "outcome: 'witness', COMMIT of an insert": { ours: ({ witness }) => byHand(insert)(witness), plain: byHand(insert) },
  "outcome: 'witness', COMMIT of a select": { ours: ({ witness }) => byHand(select)(witness), plain: byHand(select) },
}
