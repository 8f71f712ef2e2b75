import type pg from 'pg'
import { isOutcomeUnknownError } from '../src/index'
import type { Pool } from '../src/index'
import { nameAttempt } from '../test/integration/outcome/support/spy-client'
import { reasonOf } from '../test/integration/outcome/support/writers'
import type { Answer, Kind, Place } from './answer'

/** What a call was answered with, if it did not fail. */
type Told = Pick<Answer, 'place' | 'attempts' | 'lookedUp'>

/** One call. What it knows when it fails is left in `told`. `lossy`: it is not to wait for a standby. */
type Work = (pool: Pool, id: string, told: { attempts?: number }, lossy: boolean) => Promise<Told>

export const tables = [
  'create table soak (id text not null)',
  'create table soak_once (id text primary key)',
  'create index on soak (id)',
]

const returning = `returning ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int as timeline,
  (pg_current_wal_insert_lsn() - '0/0')::float8 as lsn`
const insert = `insert into soak values ($1) ${returning}`

/** COMMITs that their server has acknowledged, by the name of the attempt. */
export const answeredCommits = new Set<string>()

/** Each kind of caller: a new kind is one more line here, and its rule in the ledger. */
export const workers: Readonly<Record<Kind, { readonly count: number; readonly work: Work }>> = {
  'plain write': {
    count: 4,
    work: async (pool, id) => ({ place: (await pool.query<Place>(insert, [id])).rows[0] }),
  },
  'idempotent write': {
    count: 4,
    work: async (pool, id) => {
      const text = `insert into soak_once values ($1) on conflict do nothing ${returning}`
      return { place: (await pool.query<Place>({ text, values: [id], idempotent: true })).rows[0] }
    },
  },
  read: {
    count: 4,
    work: async (pool, id) => {
      const { rows } = await pool.query<{ id: string }>({ text: 'select $1 as id', values: [id], readOnly: true })
      if (rows[0]?.id !== id) throw new Error(`answered with ${JSON.stringify(rows)}, which is not what was asked`)
      return {}
    },
  },
  transaction: { count: 8, work: transaction },
}

async function transaction(pool: Pool, id: string, told: { attempts?: number }, lossy: boolean): Promise<Told> {
  let attempts = 0
  let attempt = ''
  let place: Place | undefined
  const run = async (client: pg.PoolClient): Promise<void> => {
    attempt = `${id}#${attempts}`
    attempts = told.attempts = attempts + 1
    nameAttempt(client, attempt)
    if (lossy) await client.query('set local synchronous_commit = local')
    ;({
      rows: [place],
    } = await client.query<Place>(insert, [attempt]))
  }
  await pool.transaction(run)
  return { place, attempts, lookedUp: !answeredCommits.delete(attempt) }
}

/** One caller. */
export interface Worker {
  readonly kind: Kind
  readonly worker: number
  /** What its transactions commit may be lost with their server. */
  readonly lossy: boolean
}

/** Makes one call and says what became of it. */
export async function call(
  pool: Pool,
  { kind, worker, lossy }: Worker,
  id: string,
  now: () => number,
): Promise<Answer> {
  const startedAt = now()
  const told: { attempts?: number } = {}
  const about = { kind, id, worker, startedAt }
  try {
    const answer = await workers[kind].work(pool, id, told, lossy)
    return { ...about, ...answer, endedAt: now(), ending: 'acknowledged' }
  } catch (error) {
    const ending = isOutcomeUnknownError(error) ? 'unknown' : 'failed'
    const reason = ending === 'unknown' ? reasonOf(error as Error) : String(error)
    return { ...about, ...told, endedAt: now(), ending, reason }
  }
}
