import pg from 'pg'
import { insertText } from '../statements'
import type { Contender, ContenderOptions } from './contender'

/** What an application has that knows one host. */
export function pgPool({ target, max }: ContenderOptions): Contender {
  const { user, password, database } = target
  const pool = new pg.Pool({ ...target.hosts[0], user, password, database, max })
  // Without it an idle client whose server dies ends the process.
  pool.on('error', () => undefined)
  return {
    insert: async (run, id) => (await pool.query<{ port: number }>(insertText, [run, id])).rows[0]!.port,
  }
}
