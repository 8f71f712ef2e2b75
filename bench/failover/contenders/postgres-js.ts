import postgres from 'postgres'
import { insertText } from '../statements'
import type { Contender, ContenderOptions } from './contender'

/** postgres.js with all hosts. `primary`, because its `read-write` takes a standby for writable. */
export function postgresJs({ target, max }: ContenderOptions): Contender {
  const { hosts, user: username, password, database } = target
  // Its types know one host only; the host list of a URL is what its documentation shows.
  const list = hosts.map(({ host, port }) => `${host}:${port}`).join(',')
  const sql = postgres(`postgres://${list}/`, {
    username,
    password,
    database,
    max,
    target_session_attrs: 'primary',
    onnotice: () => undefined,
  })
  return {
    insert: async (run, id) => (await sql.unsafe<{ port: number }[]>(insertText, [run, id]))[0]!.port,
  }
}
