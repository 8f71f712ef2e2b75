import { kindOf } from '../client/conninfo/given-options'
import { show } from '../client/conninfo/option-value'
import { leastMaxAge } from '../core/outcome/marker-age'
import { markerTableDdl, readMarkerTable } from '../core/outcome/marker-table'
import type { MarkerTable } from '../core/outcome/marker-table'
import { ConnInfoError } from '../errors'
import type { MarkerOptions } from '../execution/marker-proof'

/**
 * The value of the option `outcome` with which every transaction that is to be looked up writes a row of its own, a marker: it
 * is there if, and only if, the transaction was committed.
 */
export interface OutcomeTable {
  /**
   * Where the markers are: `name` or `schema.name`, each an SQL identifier, plain or "quoted", as it is to be written into
   * statements. Without a schema it is in `public`, whatever `search_path` says. Nothing creates it; {@link outcomeTable}
   * returns the statements.
   */
  readonly table: string
  /**
   * Markers that are older are deleted by the pools that write them, in milliseconds. The smallest of all pools that share a
   * table counts. A transaction that takes longer than half of it cannot be looked up if its marker is missing, and is unknown.
   * At least twice `failoverTimeoutMillis` (60000 by default), since a look-up may go on for so long. Default: 86400000, a
   * day; Infinity: they are never deleted.
   */
  readonly maxAgeMillis?: number | undefined
}

const dayMillis = 86_400_000

/**
 * The option `outcome`, checked. `lookUpMillis`: for so long a look-up goes on at the most.
 *
 * @throws {@link ConnInfoError} naming the option, the value and what would do.
 */
export function readOutcome(given: unknown, lookUpMillis: number): 'witness' | MarkerOptions | undefined {
  if (given === undefined || given === 'witness') return given
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new ConnInfoError(`outcome must be 'witness', { table: 'name' }, or be left out, not ${show(given)}`)
  }
  const { table, maxAgeMillis = dayMillis, ...rest } = given as Record<string, unknown>
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) throw new ConnInfoError(`outcome.${unknown}: there is table, and maxAgeMillis; remove it`)
  const least = leastMaxAge(lookUpMillis)
  if (typeof maxAgeMillis !== 'number' || !(maxAgeMillis >= least)) {
    throw new ConnInfoError(
      `outcome.maxAgeMillis must be a number of at least ${least} or Infinity, not ${show(maxAgeMillis)}: twice the longest ` +
        'time for which callers are held, since a transaction is looked up for so long',
    )
  }
  return { given: table as string, table: readTable('outcome.table', table).name, maxAgeMillis }
}

/**
 * The SQL that creates the table for `outcome: { table: name }` and its index, where they do not exist: three columns, `id`,
 * `committed` and `written_at`. Run it once, as a migration, on the leader, and grant select, insert, update and delete on the
 * table to the roles of the pools that use it. It has to be done before: a pool with this option that cannot write to its table
 * connects to nothing.
 *
 * @throws ConnInfoError for what is no name of a table.
 * @example
 * ```ts
 * import { Client, outcomeTable, Pool } from 'pg-leader'
 * const migration = new Client('postgres://owner@db1,db2,db3/shop?target_session_attrs=read-write')
 * await migration.connect()
 * await migration.query(outcomeTable('app.markers') + 'grant select, insert, update, delete on app.markers to app')
 * await migration.end()
 * const pool = new Pool({ connectionString: 'postgres://app@db1,db2,db3/shop', outcome: { table: 'app.markers' } })
 * ```
 */
export function outcomeTable(name: string): string {
  return markerTableDdl(readTable('outcomeTable: its argument', name))
}

function readTable(what: string, given: unknown): MarkerTable {
  const table = readMarkerTable(given)
  if (table !== undefined) return table
  const shown = typeof given === 'string' ? show(given) : kindOf(given)
  throw new ConnInfoError(
    `${what} must be the name of a table, 'name' or 'schema.name', each an SQL identifier, plain or "quoted", of at most 63 ` +
      `bytes, not ${shown}`,
  )
}
