import type { ConnInfoKeyword, ConnInfoParameters } from '../../core/conninfo/keywords'
import { ConnInfoError } from '../../errors'
import { checkPort } from './port'

/** What somebody handed to a Pool or Client. Nothing is known of its types before they were looked at. */
export type GivenOptions = Readonly<Record<string, unknown>>

/** Options of ours that make a pool follow somebody. `targetSessionAttrs` and `loadBalanceHosts` are judged by value. */
const ours = [
  'hosts',
  'hostaddr',
  'failoverTimeoutMillis',
  'maxWaiting',
  'monitor',
  'aliveCheckMillis',
  'authority',
  'discovery',
  'exactlyOnce',
  'outcome',
  'readOnly',
  'consistency',
] as const

/** @throws {@link ConnInfoError} for a `Client` that makes no clients: pg-pool would say so at the first connect, or never. */
export function checkClientClass({ Client }: GivenOptions): void {
  if (!Client) return
  const { prototype } = Client as { readonly prototype?: { readonly connect?: unknown } }
  if (typeof Client === 'function' && typeof prototype?.connect === 'function') return
  throw new ConnInfoError(`Client: must be a class of clients, such as pg.Client, not ${kindOf(Client)}`)
}

/** Options that speak of the whole list, or of the pool, and mean nothing to a pg client of one host. */
export const notForPg: ReadonlySet<string> = new Set([
  ...ours,
  'connectionString',
  'host',
  'port',
  'targetSessionAttrs',
  'loadBalanceHosts',
])

/** pg's options that are libpq's keywords under another or the same name. */
const keywordOptions: readonly (readonly [string, ConnInfoKeyword])[] = [
  ['host', 'host'],
  ['hostaddr', 'hostaddr'],
  ['port', 'port'],
  ['user', 'user'],
  ['database', 'dbname'],
  ['application_name', 'application_name'],
  ['fallback_application_name', 'fallback_application_name'],
  ['options', 'options'],
  ['client_encoding', 'client_encoding'],
  ['replication', 'replication'],
  ['sslnegotiation', 'sslnegotiation'],
]

/** Whether an option asks for more than pg does. */
export function asksToFollow(given: GivenOptions): boolean {
  const { host, port, targetSessionAttrs, loadBalanceHosts } = given
  return (
    ours.some((name) => given[name] !== undefined) ||
    (typeof host === 'string' && host.includes(',')) ||
    (typeof port === 'string' && port.includes(',')) ||
    (targetSessionAttrs !== undefined && targetSessionAttrs !== 'any') ||
    (loadBalanceHosts !== undefined && loadBalanceHosts !== 'disable')
  )
}

/**
 * The options as libpq's keywords. What pg takes for "not given" (empty, null) counts as not given.
 *
 * @throws {@link ConnInfoError} for a value that is no text or number.
 */
export function optionKeywords(given: GivenOptions): ConnInfoParameters {
  const entries: [string, string][] = []
  for (const [option, keyword] of keywordOptions) {
    const value = given[option]
    if (value === undefined || value === null || value === '' || value === false) continue
    const switchedOn = keyword === 'replication' && value === true
    if (typeof value !== 'string' && typeof value !== 'number' && !switchedOn) {
      throw new ConnInfoError(
        `${option}: must be a string${option === 'port' ? ' or a number' : ''}, not ${kindOf(value)}`,
      )
    }
    if (keyword === 'port' && typeof value === 'number') checkPort(value, 'port')
    entries.push([keyword, typeof value === 'string' ? value : String(value)])
  }
  return Object.fromEntries(entries)
}

/** Names the kind of a value without showing it. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  return `${/^[aeiou]/.test(typeof value) ? 'an' : 'a'} ${typeof value}`
}
