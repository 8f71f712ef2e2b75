import { parseKeywordValue } from './keyword-value'
import { pairHosts } from './pair-hosts'
import type { ConnInfoHost } from './pair-hosts'
import { keepsNothing } from './parameter-sink'
import type { Keeps, ParsedParameters } from './parameter-sink'
import { failure, success } from './result'
import type { Result } from './result'
import { isConnInfoUri, parseUri } from './uri'

/** A connection string, taken apart. */
export interface ConnInfo {
  /**
   * The value of every keyword that the string gives, decoded: what libpq's `PQconninfoParse` returns for the string
   * alone, without environment, files and defaults.
   */
  readonly parameters: Readonly<Record<string, string>>
  /** The host list after pairing `host`, `hostaddr` and `port`; never empty. */
  readonly hosts: readonly ConnInfoHost[]
}

/** Reads a connection string exactly as libpq 18 does, and pairs its hosts. */
export function parseConnInfo(text: string): Result<ConnInfo> {
  const parsed = parseParameters(text, keepsNothing)
  if (!parsed.ok) return parsed
  const { parameters } = parsed.value
  const hosts = pairHosts(parameters)
  return hosts.ok ? success(Object.freeze({ parameters, hosts: hosts.value })) : hosts
}

/** Reads the keywords of a connection string without pairing its hosts: others may still fill in what it lacks. */
export function parseParameters(text: string, keeps: Keeps): Result<ParsedParameters> {
  if (text.includes('\0')) return failure('encoding', 'a zero character is not allowed in a connection string')
  if (/\p{Surrogate}/u.test(text)) {
    return failure('encoding', 'half a character (a lone UTF-16 surrogate) is not allowed in a connection string')
  }
  return isConnInfoUri(text) ? parseUri(text, keeps) : parseKeywordValue(text, keeps)
}
