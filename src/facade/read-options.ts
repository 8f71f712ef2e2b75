import { kindOf } from '../client/conninfo/given-options'
import { show } from '../client/conninfo/option-value'
import { readTags } from '../client/conninfo/weight-and-tags'
import { loadBalances } from '../core/selection/balance'
import type { LoadBalance } from '../core/selection/balance'
import { longestLagMillis } from '../core/selection/lag'
import type { StatementParser } from '../core/routing/statement-parser'
import type { Tags } from '../core/selection/tags'
import { ConnInfoError } from '../errors'

/** What serves reads when no standby may. */
export type ReadFallback = 'primary' | 'error'

/** The option `readOnly`, checked, with its defaults. */
export interface ReadSettings {
  /** Clients of each standby; undefined: as many as the pool may have on the leader. */
  readonly max: number | undefined
  /** Infinity: no limit. */
  readonly maxLagMillis: number
  /** Infinity: no limit. */
  readonly maxLagBytes: number
  readonly loadBalance: LoadBalance
  /** Infinity: however slow. */
  readonly latencyWindowMillis: number
  readonly tags: readonly Tags[]
  readonly fallback: ReadFallback
  /** How long a standby is waited for that has not replayed what a session has to see, in milliseconds. */
  readonly consistencyWaitMillis: number
  /** What tells which unmarked statements are reads; undefined: none of them is one. */
  readonly parser: StatementParser | undefined
}

/** Wide enough for the noise of one network, and narrower than the way to the next region. */
const defaultLatencyWindowMillis = 25

/** A standby is behind by less than that, as a rule. */
const defaultWaitMillis = 100

const fallbacks: readonly ReadFallback[] = ['primary', 'error']

const routings = ['marked', 'parsed'] as const

const names = [
  'max',
  'maxLagMillis',
  'maxLagBytes',
  'loadBalance',
  'latencyWindowMillis',
  'tags',
  'fallback',
  'consistencyWaitMillis',
  'routeReads',
  'parser',
] as const satisfies readonly (keyof ReadSettings | 'routeReads')[]

/**
 * Reads the option `readOnly` of a pool.
 *
 * @throws {@link ConnInfoError} naming the option, the value and what would do; a name that is none is refused, as it would
 * silently do nothing.
 */
export function readReadOptions(readOnly: unknown): ReadSettings {
  if (readOnly !== undefined && (typeof readOnly !== 'object' || readOnly === null || Array.isArray(readOnly))) {
    throw new ConnInfoError(`readOnly must be an object of options or be left out, not ${show(readOnly)}`)
  }
  const given: Readonly<Record<string, unknown>> = { ...readOnly }
  const stranger = Object.keys(given).find((name) => !names.some((known) => known === name))
  if (stranger !== undefined) {
    throw new ConnInfoError(`readOnly: has no option ${show(stranger)}; it has ${names.join(', ')}`)
  }
  return Object.freeze({
    max: readMax(given['max']),
    // What a track of the leader does not reach back to cannot be told apart.
    maxLagMillis: readLimit('maxLagMillis', given['maxLagMillis'], 1, longestLagMillis),
    maxLagBytes: readLimit('maxLagBytes', given['maxLagBytes'], 0, Number.MAX_SAFE_INTEGER),
    loadBalance: oneOf('loadBalance', given['loadBalance'], loadBalances),
    latencyWindowMillis:
      given['latencyWindowMillis'] === undefined
        ? defaultLatencyWindowMillis
        : readLimit('latencyWindowMillis', given['latencyWindowMillis'], 0, Number.MAX_SAFE_INTEGER),
    tags: readGroups(given['tags']),
    fallback: oneOf('fallback', given['fallback'], fallbacks),
    consistencyWaitMillis: readWait(given['consistencyWaitMillis']),
    parser: oneOf('routeReads', given['routeReads'], routings) === 'parsed' ? readParser(given['parser']) : undefined,
  })
}

function readParser(value: unknown): StatementParser {
  const { isRead, fingerprint } = (value ?? {}) as Partial<Record<keyof StatementParser, unknown>>
  if (typeof isRead === 'function' && typeof fingerprint === 'function') return value as StatementParser
  const remedy = "what loadParser() of 'pg-leader/parser' resolves with, as routeReads is 'parsed'"
  throw new ConnInfoError(`readOnly.parser must be ${remedy}, not ${kindOf(value)}`)
}

function readMax(value: unknown): number | undefined {
  if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1)) return value
  throw new ConnInfoError(`readOnly.max must be a whole number of at least 1, not ${show(value)}`)
}

function readWait(value: unknown): number {
  if (value === undefined) return defaultWaitMillis
  if (typeof value === 'number' && value >= 0 && value < Infinity) return value
  throw new ConnInfoError(`readOnly.consistencyWaitMillis must be a number of at least 0, not ${show(value)}`)
}

function readLimit(name: string, value: unknown, least: number, most: number): number {
  if (value === undefined || value === Infinity) return Infinity
  if (typeof value === 'number' && value >= least && value <= most) return value
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`
  throw new ConnInfoError(`readOnly.${name} must be a number ${range}, or Infinity for no limit, not ${show(value)}`)
}

/** Left out, it is the first of them. */
function oneOf<T extends string>(name: string, value: unknown, known: readonly T[]): T {
  const chosen = value === undefined ? known[0] : known.find((each) => each === value)
  if (chosen !== undefined) return chosen
  const words = known.map((each) => `'${each}'`).join(', ')
  throw new ConnInfoError(`readOnly.${name} must be one of ${words}, not ${show(value)}`)
}

function readGroups(value: unknown): readonly Tags[] {
  if (value === undefined) return Object.freeze([])
  if (!Array.isArray(value)) {
    const remedy = `must be an array of groups such as [{ zone: 'a' }], the preferred one first`
    throw new ConnInfoError(`readOnly.tags ${remedy}, not ${kindOf(value)}`)
  }
  // A list with holes in it is one with groups that are undefined.
  return Object.freeze(
    Array.from(value as readonly unknown[], (group, index) => readTags(group, `readOnly.tags[${String(index)}]`)),
  )
}
