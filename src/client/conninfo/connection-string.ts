import type { ParsedParameters } from '../../core/conninfo/parameter-sink'
import { parseParameters } from '../../core/conninfo/parse-conn-info'
import { withLibpqScheme } from '../../core/conninfo/pg-string'
import type { PgString } from '../../core/conninfo/pg-string'
import { isConnInfoUri } from '../../core/conninfo/uri'
import { ConnInfoError } from '../../errors'
import { kindOf } from './given-options'

/** What pg reads from a connection string although libpq does not know it; the rest pg ignores, and so do we. */
export const pgOnlyKeywords: readonly string[] = Object.freeze([
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'query_timeout',
])

/** pg's own words for TLS. */
export const pgTlsKeywords: readonly string[] = Object.freeze(['ssl', 'uselibpqcompat'])

/** Whether a name unknown to libpq means something to pg in a connection string. */
export function isPgKeyword(name: string): boolean {
  return pgOnlyKeywords.includes(name) || pgTlsKeywords.includes(name)
}

/**
 * Reads the string of a Pool or Client that is to follow a leader: libpq's rules, and a URI may carry words unknown to
 * libpq, which pg never minded. In the keyword/value form, which pg cannot read, an unknown word is a misspelling.
 *
 * @throws {@link ConnInfoError} that never quotes the string.
 */
export function readConnectionString(text: unknown, seen: PgString): ParsedParameters {
  if (text === undefined || text === null || text === '') return { parameters: {}, extra: {} }
  if (typeof text !== 'string') throw new ConnInfoError(`connectionString: must be a string, not ${kindOf(text)}`)
  const libpqs = withLibpqScheme(text)
  if (seen.form === 'pg' && !isConnInfoUri(libpqs)) {
    throw new ConnInfoError(
      'connectionString: only pg knows this form, and for one host; to follow a leader write a postgres:// URI ' +
        'or host=… dbname=…',
    )
  }
  const parsed = parseParameters(libpqs, seen.form === 'keyword-value' ? isPgKeyword : () => true)
  if (parsed.ok) return parsed.value
  throw new ConnInfoError(`connectionString: ${parsed.problem.message}`)
}
