import { isProvableRead } from './core/routing/parsed/provable-read'
import type { StatementParser } from './core/routing/statement-parser'

export type { StatementParser } from './core/routing/statement-parser'

/** What is used of libpg-query. */
interface Grammar {
  loadModule(): Promise<void>
  parseSync(text: string): unknown
  fingerprintSync(text: string): string
}

/**
 * Loads PostgreSQL's own grammar, which the package `libpg-query` carries as WebAssembly (2 MB, nothing to compile), for a pool that is to
 * send statements to its standbys that nobody has marked. To be done once in a process; several pools may share what it gives.
 *
 * A statement is a read by it if it is one SELECT, VALUES, TABLE or WITH without a lock, INTO or a part that writes, and if all
 * functions, operators, types and catalogs that it names are PostgreSQL's own and the same on every host. Whatever is not known to be
 * harmless is not a read: a function of the application's, say. What no text shows is refused by the standby, and then done by the leader.
 *
 * @returns what the option `readOnly.parser` takes.
 * @throws Error, as a rejection, if `libpg-query` is not installed or cannot be loaded; its `cause` says why.
 * @example
 * ```ts
 * import { Pool } from 'pg-leader'
 * import { loadParser } from 'pg-leader/parser'
 * const parser = await loadParser()
 * const pool = new Pool({ connectionString: 'postgres://app@db1,db2,db3/shop', readOnly: { routeReads: 'parsed', parser } })
 * const { rows } = await pool.query('select * from orders where id = $1', [7])
 * console.log(rows)
 * ```
 */
export async function loadParser(): Promise<StatementParser> {
  const { loadModule, parseSync, fingerprintSync } = await importGrammar()
  await loadModule()
  return Object.freeze({
    isRead: (text: string): boolean => isProvableRead(parseSync(text)),
    fingerprint: (text: string): string | undefined => {
      // Some errors are returned in the place of a fingerprint.
      const found = fingerprintSync(text)
      return /^[0-9a-f]{16}$/.test(found) ? found : undefined
    },
  })
}

async function importGrammar(): Promise<Grammar> {
  try {
    return await import('libpg-query')
  } catch (cause) {
    throw new Error(
      'pg-leader/parser needs the package libpg-query, which is not installed or cannot be loaded here: npm install libpg-query@18',
      { cause },
    )
  }
}
