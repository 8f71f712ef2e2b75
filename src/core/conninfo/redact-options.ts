import { isConnInfoKeyword, isSecret } from './keywords'
import { redactConnInfo } from './redact'

/** What stands in for a secret. */
const mask = '***'

/** The secrets among pg's options, those of Node's TLS included; libpq's keywords know their own. */
const secretOptions: ReadonlySet<string> = new Set(['key', 'passphrase', 'pfx'])

/**
 * The options of a pool or client as they may be printed: the same, without passwords, keys and whatever of that kind stands in
 * a connection string.
 */
export function redactOptions(options: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, redact(name, value)]))
}

function redact(name: string, value: unknown): unknown {
  if (value === undefined || value === null || value === '' || typeof value === 'function') return value
  if (secretOptions.has(name) || (isConnInfoKeyword(name) && isSecret(name))) return mask
  if (name === 'connectionString') return typeof value === 'string' ? redactConnInfo(value) : value
  if (name === 'hosts' && Array.isArray(value)) return value.map((entry: unknown) => redact('host', entry))
  const isList = name === 'host' || name === 'ssl'
  return isList && typeof value === 'object' && !Array.isArray(value) ? redactOptions(value) : value
}
