import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { checkServerIdentity } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'

import pg from 'pg'
import type { ClientConfig } from 'pg'

import type { ConnInfoKeyword, ConnInfoParameters } from '../../core/conninfo/keywords'
import type { ConnInfoSources } from '../../core/conninfo/resolve-conn-info'
import { ConnInfoError } from '../../errors'
import { pgTlsKeywords } from './connection-string'
import type { ResolvedHost } from './follow-options'

/** pg's `ssl` option; `undefined` leaves it to pg, which then reads PGSSLMODE. */
export type Ssl = boolean | ConnectionOptions | string | undefined

const fileKeywords = ['sslrootcert', 'sslcert', 'sslkey'] as const
const modeKeywords = ['sslmode', ...fileKeywords] as const
/** The values of PGSSLMODE for which pg turns TLS on. */
const modesWithTls: readonly string[] = ['prefer', 'require', 'verify-ca', 'verify-full', 'no-verify']

/**
 * Everything about TLS that was given anywhere, as the one string and the one option that the installed pg is asked to
 * make sense of. The meaning stays pg's: it verifies under `sslmode=require`, and swapping an import must not change that.
 */
export interface TlsRequest {
  readonly connectionString: string | undefined
  readonly ssl: unknown
}

/**
 * Collects what the string, the `ssl` option, the service file and the environment say about TLS. As in pg, the string
 * wins over the option; the option, which says everything at once, wins over file and environment.
 *
 * @param text - the keywords of the connection string alone, `extra` its words unknown to libpq.
 * @param pgReadsMode - whether PGSSLMODE is set, so that pg finds the mode by itself.
 */
export function requestTls(
  sources: ConnInfoSources,
  text: ConnInfoParameters,
  extra: Readonly<Record<string, string>>,
  ssl: unknown,
  pgReadsMode: boolean,
): TlsRequest {
  const { service, environment } = sources
  const request = new Map<string, string>()
  for (const keyword of modeKeywords) if (text[keyword]) request.set(keyword, text[keyword])
  for (const keyword of pgTlsKeywords) if (extra[keyword]) request.set(keyword, extra[keyword])
  if (text.sslnegotiation) request.set('sslnegotiation', text.sslnegotiation)
  const textSpeaks =
    [...modeKeywords, 'ssl'].some((keyword) => request.has(keyword)) || text.sslnegotiation === 'direct'
  if (!textSpeaks) {
    if (ssl !== undefined && ssl !== null) return { connectionString: undefined, ssl }
    const mode = environment.sslmode
    if (!modeKeywords.some((keyword) => service[keyword])) {
      if (mode === undefined || !modesWithTls.includes(mode)) return { connectionString: undefined, ssl: undefined }
      // PGREQUIRESSL, libpq's variable of old, is unknown to pg.
      if (!certificatesIn(environment)) return { connectionString: undefined, ssl: pgReadsMode ? undefined : true }
    }
    if (mode !== undefined) request.set('sslmode', mode)
    if (service.sslmode) request.set('sslmode', service.sslmode)
  }
  // Where the string speaks of TLS, PGSSLMODE says nothing any more: so it is in pg.
  for (const keyword of modeKeywords) {
    const value = service[keyword] ?? (keyword === 'sslmode' ? undefined : environment[keyword])
    if (value && !request.has(keyword)) request.set(keyword, value)
  }
  // Files that nobody needs may well be missing.
  if (request.get('sslmode') === 'disable') for (const keyword of fileKeywords) request.delete(keyword)
  // It turns TLS on where nothing else speaks of it, and says nothing of what TLS is.
  if (request.has('sslmode') || request.has('ssl')) request.delete('sslnegotiation')
  return { connectionString: synthesize([...applySystemRoots(request)]), ssl }
}

function certificatesIn(environment: ConnInfoParameters): boolean {
  return Boolean(environment.sslrootcert ?? environment.sslcert ?? environment.sslkey)
}

/** `sslrootcert=system` is no file: it means the roots Node.js brings along, and full verification, as in libpq. */
function applySystemRoots(request: Map<string, string>): Map<string, string> {
  if (request.get('sslrootcert') !== 'system') return request
  const mode = request.get('sslmode')
  if (mode !== undefined && mode !== 'verify-full' && mode !== 'disable') {
    throw new ConnInfoError('sslmode: is too weak for sslrootcert=system; use sslmode=verify-full')
  }
  request.delete('sslrootcert')
  request.set('sslmode', mode ?? 'verify-full')
  return request
}

function synthesize(entries: readonly (readonly [string, string])[]): string {
  const query = entries.map(([keyword, value]) => `${keyword}=${encodeURIComponent(value)}`)
  return `postgres://host/?${query.join('&')}`
}

/** Lets the installed pg decide what the request means. */
function askPg(request: TlsRequest): Ssl {
  const config = {
    // pg would complain of PGSSLNEGOTIATION=direct where TLS is off; whether it is off is the question here.
    sslnegotiation: 'postgres',
    ...(request.ssl !== undefined && { ssl: request.ssl }),
    ...(request.connectionString !== undefined && { connectionString: request.connectionString }),
  } as ClientConfig
  try {
    const { connectionParameters } = new pg.Client(config) as unknown as { connectionParameters: { ssl: Ssl } }
    return connectionParameters.ssl
  } catch (cause) {
    throw new ConnInfoError(`sslmode, sslrootcert, sslcert, sslkey: ${reasonOf(cause)}`, { cause })
  }
}

/** Like {@link sslFor}, but never undecided: pg is asked where it would have been left to decide. */
export function effectiveSsl(host: ResolvedHost, request: TlsRequest, parameters: ConnInfoParameters): Ssl {
  return sslFor(host, request, parameters) ?? askPg(request)
}

/** What libpq's keywords add to the `ssl` object that pg does not read from a string. */
const additions: readonly ConnInfoKeyword[] = [
  'sslcrl',
  'sslpassword',
  'sslcertmode',
  'ssl_min_protocol_version',
  'ssl_max_protocol_version',
]

/**
 * pg's `ssl` option for one host.
 *
 * @returns `undefined` where pg shall decide by itself.
 * @throws {@link ConnInfoError} where a file cannot be read or a version is unknown.
 */
export function sslFor(host: ResolvedHost, request: TlsRequest, parameters: ConnInfoParameters): Ssl {
  // libpq never speaks TLS on a socket, and no server would.
  if (host.host.startsWith('/') && host.hostaddr === undefined) return false
  const named = host.hostaddr !== undefined && host.host !== host.hostaddr
  const untouched =
    request.connectionString === undefined && !named && !additions.some((keyword) => parameters[keyword])
  if (untouched) return request.ssl as Ssl
  const ssl = askPg(request)
  if (!ssl || (ssl !== true && typeof ssl !== 'object')) return ssl
  const extended = ssl === true ? {} : cloneSsl(ssl)
  extend(extended, parameters)
  if (named) nameServer(extended, host.host)
  return ssl === true && Object.keys(extended).length === 0 ? true : extended
}

/** pg hides `key` from inspection by making it non-enumerable; a copy must keep both the key and the hiding. */
function cloneSsl(ssl: ConnectionOptions): ConnectionOptions {
  return Object.defineProperties({}, Object.getOwnPropertyDescriptors(ssl))
}

function extend(ssl: ConnectionOptions, parameters: ConnInfoParameters): void {
  if (parameters.sslcrl) ssl.crl ??= readNamedFile('sslcrl', parameters.sslcrl)
  if (
    parameters.sslpassword &&
    ssl.passphrase === undefined &&
    (typeof ssl.key === 'string' || Buffer.isBuffer(ssl.key))
  ) {
    // Beside its key the passphrase is hidden from inspection, as pg hides the key.
    const key = [{ pem: ssl.key, passphrase: parameters.sslpassword }]
    Object.defineProperty(ssl, 'key', { value: key, enumerable: false, configurable: true, writable: true })
  }
  if (parameters.sslcertmode === 'disable') {
    delete ssl.cert
    delete ssl.key
  }
  const { least, most } = tlsVersions(parameters)
  if (least !== undefined) ssl.minVersion ??= least
  if (most !== undefined) ssl.maxVersion ??= most
}

/**
 * pg names the server to TLS by what it dials, here an address. The name goes to SNI (an address may not) and to the
 * identity check, on every pg this library allows.
 */
function nameServer(ssl: ConnectionOptions, name: string): void {
  if (ssl.servername !== undefined) return
  if (isIP(name) === 0) ssl.servername = name
  else ssl.checkServerIdentity ??= (_dialled, certificate) => checkServerIdentity(name, certificate)
}

const versions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const

type TlsVersion = (typeof versions)[number]

/**
 * @throws {@link ConnInfoError} for an unknown version, and where the least allowed is above the most allowed.
 */
export function tlsVersions(parameters: ConnInfoParameters): { least?: TlsVersion; most?: TlsVersion } {
  const least = version('ssl_min_protocol_version', parameters)
  const most = version('ssl_max_protocol_version', parameters)
  if (least !== undefined && most !== undefined && least > most) {
    throw new ConnInfoError('ssl_min_protocol_version: is above ssl_max_protocol_version; correct one of them')
  }
  return { ...(least && { least }), ...(most && { most }) }
}

function version(
  keyword: 'ssl_min_protocol_version' | 'ssl_max_protocol_version',
  parameters: ConnInfoParameters,
): TlsVersion | undefined {
  const value = parameters[keyword]
  if (!value) return undefined
  const known = versions.find((name) => name.toLowerCase() === value.toLowerCase())
  if (known === undefined) throw new ConnInfoError(`${keyword}: must be one of ${versions.join(', ')}`)
  return known
}

function readNamedFile(keyword: ConnInfoKeyword, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConnInfoError(`${keyword}: ${reasonOf(cause)}`, { cause })
  }
}

/** A file's name stands in the cause alone: in a string that was cut wrong it may be anything, a password too. */
function reasonOf(cause: unknown): string {
  const { code, message } = cause as { readonly code?: unknown; readonly message?: unknown }
  if ((cause as { readonly syscall?: unknown }).syscall !== undefined) return `a file cannot be read (${String(code)})`
  return String(message ?? cause)
}
