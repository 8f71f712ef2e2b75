import { sinceOf } from './ticket'
import type { Call } from './ticket'

/** The two limits of a caller's patience, in milliseconds. */
export interface Limits {
  /** `connectionTimeoutMillis`: for a client to become free or be connected; undefined: for ever, as in pg. */
  readonly connectionTimeoutMillis: number | undefined
  /** `failoverTimeoutMillis`, if it was set. */
  readonly failoverTimeoutMillis: number | undefined
}

/** The longest hold where no option says otherwise. */
const defaultFailoverTimeoutMillis = 60_000

/** The longest time a caller is held for want of a host. */
export function longestHold(limits: Limits): number {
  return limits.failoverTimeoutMillis ?? limits.connectionTimeoutMillis ?? defaultFailoverTimeoutMillis
}

/** The option whose limit a held caller meets. */
export function holdLimitName(limits: Limits): string {
  const inherits = limits.failoverTimeoutMillis === undefined && limits.connectionTimeoutMillis !== undefined
  return inherits ? 'connectionTimeoutMillis' : 'failoverTimeoutMillis'
}

/**
 * When a caller's time is up. `phaseSince`: when the present phase (held, or not) began.
 *
 * With `connectionTimeoutMillis` alone, one deadline covers everything, as a user of pg expects. With a limit for the
 * hold as well, the time a call was held does not count against the other. The waits of all attempts of a call add up.
 */
export function deadlineOf(call: Call, phase: 'held' | 'waiting', phaseSince: number, limits: Limits): number {
  const { connectionTimeoutMillis, failoverTimeoutMillis } = limits
  const { waitedMillis = 0, heldMillis = 0 } = call.past ?? {}
  const since = sinceOf(call)
  if (failoverTimeoutMillis === undefined && connectionTimeoutMillis !== undefined) {
    return since + connectionTimeoutMillis - waitedMillis
  }
  if (phase === 'held') {
    return Math.max(since, phaseSince) + longestHold(limits) - heldMillis
  }
  if (connectionTimeoutMillis === undefined) return Infinity
  return since + connectionTimeoutMillis + heldMillis - waitedMillis
}
