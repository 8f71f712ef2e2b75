import type { Pool } from '../src/index'
import type { Load } from './load'
import type { Act } from './story'

/** What the tables say, compared with what the application was told. */
export interface Verdict {
  readonly acknowledged: number
  /** Inserts that may be executed only once, found more than once. */
  readonly duplicated: number
  /** Acknowledged by a server that was killed before any standby had it: the price of asynchronous replication. */
  readonly lostWithServer: number
  /** Acknowledged and gone for no such reason. */
  readonly lost: number
  readonly unknownWritten: number
  readonly unknownAbsent: number
}

/** Reads both tables from the leader when all requests have been answered. */
export async function verify(pool: Pool, load: Load, acts: readonly Act[]): Promise<Verdict> {
  const [orders, events] = await Promise.all([copies(pool, 'demo_order'), copies(pool, 'demo_event')])
  const missing = load.acknowledged.filter(({ id, kind }) => !(kind === 'order' ? orders : events).has(id))
  const withServer = missing.filter(({ port, at }) =>
    acts.some((act) => act.title === 'kill -9' && act.from.port === port && at < act.writableAt),
  )
  const written = load.unknown.filter((id) => events.has(id)).length
  return {
    acknowledged: load.acknowledged.length,
    duplicated: [...events.values()].filter((times) => times > 1).length,
    lostWithServer: withServer.length,
    lost: missing.length - withServer.length,
    unknownWritten: written,
    unknownAbsent: load.unknown.length - written,
  }
}

async function copies(pool: Pool, table: 'demo_order' | 'demo_event'): Promise<Map<number, number>> {
  const text = `select id::int as id, count(*)::int as times from ${table} group by id`
  const { rows } = await pool.query<{ id: number; times: number }>({ text, readOnly: true })
  return new Map(rows.map(({ id, times }) => [id, times]))
}
