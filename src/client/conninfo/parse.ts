import { parseConnInfo as parse } from '../../core/conninfo/parse-conn-info'
import type { ConnInfo } from '../../core/conninfo/parse-conn-info'
import { ConnInfoError } from '../../errors'
import { kindOf } from './given-options'

export type { ConnInfo } from '../../core/conninfo/parse-conn-info'
export type { ConnInfoHost } from '../../core/conninfo/pair-hosts'

/**
 * Takes a connection string apart exactly as libpq 18 does: URIs (`postgres://`, `postgresql://`) and `keyword = value`
 * pairs, with any number of hosts.
 *
 * `parameters` is what libpq's `PQconninfoParse` returns for the string alone: no environment, no files, no defaults.
 * `hosts` is the list after pairing `host`, `hostaddr` and `port`; a missing element stands for its default. The few
 * deliberate differences from libpq are listed in `docs/conninfo.md`.
 *
 * @param text - the connection string; an empty one gives no parameters and one host of defaults.
 * @throws {@link ConnInfoError} naming the option or the position and the reason. It never quotes the string, since a
 *   password may stand anywhere in one that is malformed.
 *
 * @example
 * ```ts
 * import { parseConnInfo } from 'pg-leader'
 * const { hosts, parameters } = parseConnInfo('postgres://app@db1,db2:5433/shop?target_session_attrs=primary')
 * console.log(hosts) // [{ host: 'db1' }, { host: 'db2', port: '5433' }]
 * console.log(parameters.target_session_attrs) // 'primary'
 * ```
 */
export function parseConnInfo(text: string): ConnInfo {
  // Callers without types hand in an environment variable that is not set.
  if (typeof text !== 'string') throw new ConnInfoError(`connection string: must be a string, not ${kindOf(text)}`)
  const parsed = parse(text)
  if (parsed.ok) return parsed.value
  throw new ConnInfoError(`invalid connection string: ${parsed.problem.message}`)
}
