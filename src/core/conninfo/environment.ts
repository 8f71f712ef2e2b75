import { connInfoKeywords, variableOf } from './keywords'
import type { ConnInfoParameters } from './keywords'

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * The keywords that the environment gives. A variable that is set to nothing counts as not set: `pg` reads it so, and
 * container tools leave such variables behind (libpq would take the empty value).
 */
export function readEnvironment(environment: Environment): ConnInfoParameters {
  const entries: [string, string][] = []
  for (const keyword of connInfoKeywords) {
    const variable = variableOf(keyword)
    const value = variable === undefined ? undefined : environment[variable]
    if (value) entries.push([keyword, value])
  }
  const parameters = Object.fromEntries(entries) as ConnInfoParameters
  // The variable of old, which libpq asks only where PGSSLMODE is not set.
  if (parameters.sslmode === undefined && environment['PGREQUIRESSL']?.startsWith('1')) {
    return Object.freeze({ ...parameters, sslmode: 'require' })
  }
  return Object.freeze(parameters)
}
