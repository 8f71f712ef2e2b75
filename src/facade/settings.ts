import { readFlag, show } from '../client/conninfo/option-value'
import type { Authority } from '../discovery/authority'
import type { Discovery } from '../discovery/discovery'
import { ConnInfoError } from '../errors'
import type { MarkerOptions } from '../execution/marker-proof'
import { longestHold } from '../pool/deadlines'
import type { Limits } from '../pool/deadlines'
import type { MonitorTimes } from '../topology/living-topology'
import { readReadOptions } from './read-options'
import type { ReadSettings } from './read-options'
import { readOutcome } from './outcome-option'

/** Options of ours, checked, with their defaults. */
export interface Settings {
  readonly limits: Limits
  readonly maxWaiting: number
  readonly aliveCheckMillis: number
  readonly times: MonitorTimes
  readonly authority: Authority | undefined
  readonly discovery: readonly Discovery[]
  readonly exactlyOnce: boolean
  readonly outcome: 'witness' | MarkerOptions | undefined
  readonly reads: ReadSettings
  readonly consistency: 'eventual' | 'session'
}

const defaults = { intervalMillis: 1000, leaderlessIntervalMillis: 25, timeoutMillis: 1000 }

/**
 * Reads the options of a following pool that are times and bounds.
 *
 * @throws {@link ConnInfoError} naming the option, the value and what would do.
 */
export function readSettings(
  options: Readonly<Record<string, unknown>>,
  connectTimeoutMillis: number | undefined,
): Settings {
  const monitor = options['monitor']
  if (monitor !== undefined && monitor !== false && (typeof monitor !== 'object' || monitor === null)) {
    throw new ConnInfoError(`monitor must be an object of times or false, not ${show(monitor)}`)
  }
  const given = (monitor === false ? {} : (monitor ?? {})) as Readonly<Record<string, unknown>>
  const time = (name: keyof typeof defaults): number =>
    number(`monitor.${name}`, given[name], { least: 1 }) ?? defaults[name]
  const limits = {
    connectionTimeoutMillis: connectTimeoutMillis,
    failoverTimeoutMillis: number('failoverTimeoutMillis', options['failoverTimeoutMillis'], { least: 1 }),
  }
  return {
    limits,
    maxWaiting: number('maxWaiting', options['maxWaiting'], { least: 1, infinite: true }) ?? 10_000,
    aliveCheckMillis: number('aliveCheckMillis', options['aliveCheckMillis'], { least: 0, infinite: true }) ?? 1000,
    authority: readAuthority(options['authority']),
    discovery: readDiscovery(options['discovery']),
    outcome: readOutcome(options['outcome'], longestHold(limits)),
    exactlyOnce: readFlag('exactlyOnce', options['exactlyOnce']),
    reads: readReadOptions(options['readOnly']),
    consistency: readConsistency(options['consistency']),
    times: {
      intervalMillis: monitor === false ? Infinity : time('intervalMillis'),
      leaderlessIntervalMillis: time('leaderlessIntervalMillis'),
      timeoutMillis: time('timeoutMillis'),
    },
  }
}

function readAuthority(given: unknown): Authority | undefined {
  if (given === undefined) return undefined
  const { name, leader } = (given ?? {}) as Partial<Record<keyof Authority, unknown>>
  if (typeof name === 'string' && name !== '' && typeof leader === 'function') return given as Authority
  throw new ConnInfoError(`authority must be an object with a name and a function leader, not ${show(given)}`)
}

function readDiscovery(given: unknown): readonly Discovery[] {
  if (given === undefined) return []
  if (!Array.isArray(given) || given.length === 0) {
    const found = Array.isArray(given) ? 'an empty one' : show(given)
    throw new ConnInfoError(
      `discovery must be an array of sources, each with a name and a function hosts, not ${found}`,
    )
  }
  return Array.from(given as readonly unknown[], (source, index) => {
    const { name, hosts } = (source ?? {}) as Partial<Record<keyof Discovery, unknown>>
    if (typeof name === 'string' && name !== '' && typeof hosts === 'function') return source as Discovery
    throw new ConnInfoError(
      `discovery[${index}] must be an object with a name and a function hosts, not ${show(source)}`,
    )
  })
}

function number(name: string, value: unknown, range: { least: number; infinite?: boolean }): number | undefined {
  if (value === undefined) return undefined
  const fits = typeof value === 'number' && value >= range.least && (value !== Infinity || range.infinite === true)
  if (fits) return value
  const upTo = range.infinite === true ? ' or Infinity' : ''
  throw new ConnInfoError(`${name} must be a number of at least ${range.least}${upTo}, not ${show(value)}`)
}

function readConsistency(given: unknown): 'eventual' | 'session' {
  if (given === undefined) return 'session'
  if (given === 'eventual' || given === 'session') return given
  throw new ConnInfoError(`consistency must be 'eventual' or 'session', not ${show(given)}`)
}
