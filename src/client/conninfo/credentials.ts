import pg from 'pg'

import type { ConnInfoKeyword } from '../../core/conninfo/keywords'
import { variableOf } from '../../core/conninfo/keywords'
import type { ResolvedHost } from './follow-options'
import { blameCaller, noPassword } from './password-function'
import type { PasswordFunction } from './password-function'
import { lookUpPassword } from './passwords'
import type { Resolved } from './resolved'

/** What pg reads from the environment where it is given an empty value, and sends as given otherwise. */
const emptyValues = ['options', 'application_name'] as const satisfies readonly ConnInfoKeyword[]

/**
 * Sets user, database and password for one host. An empty value that was given explicitly is as good as none, and keeps
 * the environment out all the same; so pg, which would look there, is never left without a value.
 */
export function setCredentials(config: Record<string, unknown>, host: ResolvedHost, resolved: Resolved): void {
  const { parameters, surroundings } = resolved
  const user = resolved.settings.get(host.key)?.user || parameters.user || pg.defaults.user || surroundings.userName
  const dbname = parameters.dbname || pg.defaults.database || user
  if (user !== undefined) config['user'] = user
  if (dbname !== undefined) config['database'] = dbname
  const password = givenPassword(host, resolved) || storedPassword(host, resolved, dbname, user)
  config['password'] =
    typeof password === 'function'
      ? blameCaller(password as PasswordFunction)
      : password || pg.defaults.password || noPassword
}

function givenPassword(host: ResolvedHost, { given, parameters, settings, textPassword }: Resolved): unknown {
  const own = settings.get(host.key)?.password
  if (own) return own
  // pg hides `password` on a pool's options from enumeration, hence the look at `given` by name.
  return textPassword ?? (given['password'] || parameters.password)
}

function storedPassword(host: ResolvedHost, resolved: Resolved, dbname: unknown, user: unknown): string | undefined {
  if (typeof user !== 'string' || typeof dbname !== 'string') return undefined
  const key = { host: host.host, port: String(host.port), dbname, user }
  return lookUpPassword(key, resolved.parameters.passfile, resolved.surroundings, resolved.note)
}

/** A blank, which a server takes for nothing, where an empty value is to keep out what the environment says. */
export function setEmptyValues(config: Record<string, unknown>, { parameters, surroundings }: Resolved): void {
  for (const keyword of emptyValues) {
    const variable = variableOf(keyword)
    if (parameters[keyword] === '' && variable !== undefined && surroundings.env[variable]) config[keyword] = ' '
  }
}
