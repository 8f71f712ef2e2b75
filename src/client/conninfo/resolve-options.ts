import type { ClientConfig } from 'pg'

import { readEnvironment } from '../../core/conninfo/environment'
import type { ConnInfoKeyword, ConnInfoParameters } from '../../core/conninfo/keywords'
import { isConnInfoKeyword, isSecret } from '../../core/conninfo/keywords'
import { readPgString } from '../../core/conninfo/pg-string'
import type { PgString } from '../../core/conninfo/pg-string'
import { resolveConnInfo } from '../../core/conninfo/resolve-conn-info'
import type { TargetSessionAttrs } from '../../core/selection/target-session-attrs'
import { ConnInfoError } from '../../errors'
import { createLog } from '../../runtime/log'
import { buildClientOptions } from './client-options'
import { isPgKeyword, readConnectionString } from './connection-string'
import type { FollowOptions, ResolvedHost } from './follow-options'
import { asksToFollow, checkClientClass, kindOf, optionKeywords } from './given-options'
import type { GivenOptions } from './given-options'
import { listFromOption, listFromParameters, relistHosts } from './host-list'
import type { HostList } from './host-list'
import { integerOf } from './integer'
import { resolvePlain } from './plain'
import { readService } from './service'
import { processSurroundings } from './surroundings'
import type { Surroundings } from './surroundings'
import { requestTls, tlsVersions } from './tls'
import { checkSupported, checkValue } from './unsupported'

const log = createLog('client')

/** Keywords that are whole numbers: a slip in one of them is refused, even where pg has no use for the number. */
const integers = [
  'keepalives',
  'keepalives_idle',
  'keepalives_interval',
  'keepalives_count',
  'tcp_user_timeout',
] as const satisfies readonly ConnInfoKeyword[]

/**
 * Resolves a Pool's or Client's options together with environment and files, in libpq's order: connection string and
 * options, service file, environment, built-in defaults.
 *
 * As in pg, what the connection string says wins over a sibling option, which fills in what the string lacks; the `hosts`
 * option wins over the string's hosts, and our own camel-case options over the string's keywords.
 *
 * @param options - a pg configuration with ours mixed in, or a connection string, as pg's `Client` takes it.
 * @param surroundings - environment and files; the process's own by default.
 * @throws {@link ConnInfoError} naming the option, the reason and the remedy; never with a password in it.
 */
export function resolveOptions(
  options?: object | string,
  surroundings: Surroundings = processSurroundings(),
): FollowOptions {
  const given = (typeof options === 'string' ? { connectionString: options } : (options ?? {})) as GivenOptions
  if (typeof given !== 'object') throw new ConnInfoError(`options: must be an object, not ${kindOf(given)}`)
  const environment = readEnvironment(surroundings.env)
  const text = given['connectionString']
  const seen: PgString =
    typeof text === 'string' && text !== '' ? readPgString(text) : { form: 'pg', host: '', port: '' }
  if (seen.form === 'pg' && !asksToFollow(given) && !environmentFollows(environment, given, seen)) {
    return resolvePlain(given, seen, environment)
  }

  checkClientClass(given)
  const { parameters: fromText, extra } = readConnectionString(text, seen)
  const explicit: ConnInfoParameters = { ...optionKeywords(given), ...fromText, ...ownOptions(given) }
  const serviceName = explicit.service ?? environment.service
  const service = serviceName === undefined ? {} : readService(serviceName, surroundings)
  const sources = { explicit, service, environment }
  const parameters = resolveConnInfo(sources)
  const ignored = [...checkSupported(parameters, sources), ...Object.keys(extra).filter((name) => !isPgKeyword(name))]
  if (ignored.length > 0) log('ignored, as pg has no such thing: %s', ignored.filter(isPrintable).join(', '))

  const { hosts, settings } = hostList(given, parameters)
  const pgReadsMode = Boolean(surroundings.env['PGSSLMODE'])
  const tls = requestTls(sources, fromText, extra, given['ssl'], pgReadsMode)
  const resolved = {
    given,
    parameters,
    textPassword: fromText.password,
    extra,
    settings,
    tls,
    surroundings,
    note: (line: string) => log('%s', line),
  }
  const follow: FollowOptions = Object.freeze({
    hosts,
    targetSessionAttrs: (parameters.target_session_attrs ??
      (hosts.length > 1 || given['discovery'] !== undefined ? 'read-write' : 'any')) as TargetSessionAttrs,
    loadBalanceHosts: parameters.load_balance_hosts === 'random' ? 'random' : 'disable',
    connectTimeoutMillis: connectTimeout(given, parameters),
    plain: false,
    clientOptions: (host: ResolvedHost): ClientConfig => buildClientOptions(host, resolved),
    relist: (entries: readonly unknown[], known: readonly ResolvedHost[]) =>
      honoured(relistHosts(entries, parameters.port, known)),
  })
  // What cannot be honoured for one of the hosts is said now, not when that host is dialled some day.
  honoured(hosts)
  tlsVersions(parameters)
  for (const keyword of integers) integerOf(keyword, parameters[keyword])
  return follow

  function honoured(list: readonly ResolvedHost[]): readonly ResolvedHost[] {
    const { channel_binding: binding, requirepeer, sslnegotiation } = parameters
    if (binding === 'require' || requirepeer || sslnegotiation === 'direct') list.forEach(follow.clientOptions)
    return list
  }
}

/** Whether the environment asks for more than pg does. A host list there counts only where none is given explicitly. */
function environmentFollows(environment: ConnInfoParameters, given: GivenOptions, seen: PgString): boolean {
  const { host, hostaddr, port, service, target_session_attrs: attrs, load_balance_hosts: balance } = environment
  return (
    (!seen.host && !given['host'] && host?.includes(',') === true) ||
    (!seen.port && !given['port'] && port?.includes(',') === true) ||
    hostaddr !== undefined ||
    service !== undefined ||
    (attrs ?? 'any') !== 'any' ||
    (balance ?? 'disable') !== 'disable'
  )
}

/** Our own spelling of libpq's keywords, for programs that share one connection string among several pools. */
function ownOptions(given: GivenOptions): ConnInfoParameters {
  const own: [string, string][] = []
  for (const [option, keyword] of [
    ['targetSessionAttrs', 'target_session_attrs'],
    ['loadBalanceHosts', 'load_balance_hosts'],
  ] as const) {
    const value = given[option]
    if (value === undefined || value === null) continue
    if (typeof value !== 'string') throw new ConnInfoError(`${option}: must be a string, not ${kindOf(value)}`)
    checkValue(keyword, value, option)
    own.push([keyword, value])
  }
  return Object.fromEntries(own)
}

function hostList(given: GivenOptions, parameters: ConnInfoParameters): HostList {
  const { hosts } = given
  if (hosts !== undefined) {
    const list = listFromOption(hosts, parameters.port)
    if (list.hosts.length === 0) throw new ConnInfoError('hosts: is empty; name at least one host')
    return list
  }
  return listFromParameters(parameters)
}

function connectTimeout(given: GivenOptions, parameters: ConnInfoParameters): number | undefined {
  const seconds = integerOf('connect_timeout', parameters.connect_timeout)
  const option = given['connectionTimeoutMillis']
  const isGiven = option !== undefined && option !== null
  const millis = isGiven ? millisOf('connectionTimeoutMillis', option) : (seconds ?? 0) * 1000
  return millis > 0 ? millis : undefined
}

/** A number, or one as text: pg's timers take both. What is none would do nothing, and nobody would notice. */
function millisOf(name: string, value: unknown): number {
  const millis = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof millis === 'number' && !Number.isNaN(millis)) return millis
  throw new ConnInfoError(`${name}: must be a number of milliseconds, not ${kindOf(value)}`)
}

/** Names in a malformed string may be anything; only words are shown. */
function isPrintable(name: string): boolean {
  return /^[a-z_]{1,40}$/i.test(name) && !(isConnInfoKeyword(name) && isSecret(name))
}
