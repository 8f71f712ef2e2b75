import { isIP } from 'node:net'

import type { ConnInfoParameters } from '../../core/conninfo/keywords'
import { pairHosts } from '../../core/conninfo/pair-hosts'
import { ConnInfoError } from '../../errors'
import type { ResolvedHost } from './follow-options'
import { kindOf } from './given-options'
import type { GivenOptions } from './given-options'
import { checkPort } from './port'
import { plainReader, readWeightAndTags } from './weight-and-tags'

/** pg's default. libpq's would be the socket directory it was built with, which a JavaScript library does not have. */
const defaultHost = 'localhost'
const defaultPort = 5432

/** More hosts than any cluster has. Each of them is watched, so what is a thousand times too long is a mistake. */
const mostHosts = 1000

/** What an entry of the `hosts` option may carry beside the host itself; it wins over what holds for all hosts. */
export type HostSettings = Readonly<Record<'user' | 'password' | 'ssl', unknown>>

/** The host list, and by key what single hosts have of their own. */
export interface HostList {
  readonly hosts: readonly ResolvedHost[]
  readonly settings: ReadonlyMap<string, HostSettings>
}

/**
 * The list from `host`, `hostaddr` and `port`, wherever they come from.
 *
 * @throws {@link ConnInfoError} for lists that do not pair and entries that cannot be dialled.
 */
export function listFromParameters(parameters: ConnInfoParameters): HostList {
  const paired = pairHosts(parameters)
  if (!paired.ok) throw new ConnInfoError(paired.problem.message)
  checkLength(paired.value, 'host')
  const key = keyring()
  const hosts = paired.value.map(({ host, hostaddr, port }, index) => {
    const where = paired.value.length > 1 ? ` of entry ${String(index + 1)}` : ''
    return key(
      checkedHost(host, `host${where}`),
      checkedAddress(hostaddr, `hostaddr${where}`),
      checkedPort(port, `port${where}`),
    )
  })
  return { hosts: Object.freeze(hosts), settings: new Map() }
}

/**
 * The list from the `hosts` option.
 *
 * @param port - what entries without a port of their own take, if that is a single number.
 * @throws {@link ConnInfoError} naming the entry, counted from 0, and what is wrong with it.
 */
export function listFromOption(hosts: unknown, port: string | undefined): HostList {
  if (!Array.isArray(hosts)) throw new ConnInfoError(`hosts: must be an array of { host, port }, not ${kindOf(hosts)}`)
  checkLength(hosts, 'hosts')
  const key = keyring()
  const settings = new Map<string, HostSettings>()
  // A list with holes in it is one with entries that are undefined.
  const resolved = Array.from(hosts as readonly unknown[], (entry, index) => {
    const { host, hostaddr, port: ownPort, reader, settings: own } = readEntry(entry, `hosts[${String(index)}]`, port)
    const resolvedHost = key(host, hostaddr, ownPort, reader)
    settings.set(resolvedHost.key, own)
    return resolvedHost
  })
  return { hosts: Object.freeze(resolved), settings }
}

/**
 * A list that somebody else keeps, as it is now. The same host twice is one host. A host that is known keeps its key, and no
 * other host gets it.
 *
 * @param known - the hosts that have a key already.
 * @throws {@link ConnInfoError} as {@link listFromOption} does.
 */
export function relistHosts(
  entries: readonly unknown[],
  port: string | undefined,
  known: readonly ResolvedHost[],
): readonly ResolvedHost[] {
  checkLength(entries, 'hosts')
  const name = keyring(known.map(({ key }) => key))
  const list: ResolvedHost[] = []
  Array.from(entries, (entry, index) => {
    const { host: given, hostaddr, port: ownPort, reader } = readEntry(entry, `hosts[${String(index)}]`, port)
    const host = given ?? hostaddr ?? defaultHost
    const isIt = (each: ResolvedHost): boolean =>
      each.host === host && each.hostaddr === hostaddr && each.port === ownPort
    if (list.some(isIt)) return
    const same = known.find(isIt)
    list.push(same === undefined ? name(given, hostaddr, ownPort, reader) : Object.freeze({ ...same, ...reader }))
  })
  return Object.freeze(list)
}

interface Entry {
  readonly host: string | undefined
  readonly hostaddr: string | undefined
  readonly port: number
  readonly reader: Pick<ResolvedHost, 'weight' | 'tags'>
  readonly settings: HostSettings
}

function readEntry(entry: unknown, where: string, port: string | undefined): Entry {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    throw new ConnInfoError(`${where}: must be an object { host, port }, not ${kindOf(entry)}`)
  }
  const given = entry as GivenOptions
  const host = optionalText(given['host'], `${where}.host`)
  const hostaddr = optionalText(given['hostaddr'], `${where}.hostaddr`)
  if (host === undefined && hostaddr === undefined) {
    throw new ConnInfoError(`${where}: names no host; give host, or hostaddr, or both`)
  }
  if (host?.includes(',')) throw new ConnInfoError(`${where}.host: holds a comma; give each host an entry of its own`)
  const ownPort = given['port'] ?? (port?.includes(',') ? undefined : port)
  const { user, password, ssl } = given
  return {
    host: checkedHost(host, `${where}.host`),
    hostaddr: checkedAddress(hostaddr, `${where}.hostaddr`),
    port: checkedPort(ownPort, `${where}.port`),
    reader: readWeightAndTags(given, where),
    settings: { user, password, ssl },
  }
}

/** A host and its port in one word: `db1:5432`, `[::1]:5432`, `/tmp:5432`. */
export function keyOf(host: string, port: number): string {
  return `${host.includes(':') && !host.startsWith('/') ? `[${host}]` : host}:${String(port)}`
}

/** Makes entries whose keys are unique: a host named twice weighs twice with load_balance_hosts=random, as in libpq. */
function keyring(
  taken: readonly string[] = [],
): (
  host: string | undefined,
  hostaddr: string | undefined,
  port: number,
  weightAndTags?: Pick<ResolvedHost, 'weight' | 'tags'>,
) => ResolvedHost {
  const used = new Set(taken)
  return (given, hostaddr, port, weightAndTags = plainReader) => {
    const host = given ?? hostaddr ?? defaultHost
    const plain = keyOf(host, port)
    let key = plain
    if (used.has(key) && hostaddr !== undefined) key = `${plain}(${hostaddr})`
    for (let repeat = 2; used.has(key); repeat += 1) key = `${plain}#${String(repeat)}`
    used.add(key)
    return Object.freeze({ key, host, hostaddr, port, ...weightAndTags })
  }
}

function checkLength({ length }: readonly unknown[], where: string): void {
  if (length <= mostHosts) return
  const found = `lists ${String(length)} hosts, and ${String(mostHosts)} is the most`
  throw new ConnInfoError(`${where}: ${found}; name the hosts of one cluster`)
}

function optionalText(value: unknown, where: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw new ConnInfoError(`${where}: must be a string, not ${kindOf(value)}`)
  return value
}

function checkedHost(host: string | undefined, where: string): string | undefined {
  if (host?.startsWith('@')) {
    throw new ConnInfoError(
      `${where}: pg cannot dial a socket in the abstract namespace ("@…"); use a socket directory`,
    )
  }
  if (host !== undefined && hasControl(host)) {
    throw new ConnInfoError(`${where}: holds a control character, such as a line break; remove it`)
  }
  // Never quoted: what follows such an "@" may be the end of a password.
  if (host?.includes('@') && !host.startsWith('/')) {
    throw new ConnInfoError(`${where}: holds an "@"; an "@" in a user name or password must be written %40`)
  }
  return host
}

function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text)
}

function checkedAddress(hostaddr: string | undefined, where: string): string | undefined {
  if (hostaddr !== undefined && isIP(hostaddr) === 0) {
    throw new ConnInfoError(`${where}: must be a numeric IPv4 or IPv6 address; give a name as host instead`)
  }
  return hostaddr
}

function checkedPort(port: unknown, where: string): number {
  return port === undefined || port === null || port === '' ? defaultPort : checkPort(port, where)
}
