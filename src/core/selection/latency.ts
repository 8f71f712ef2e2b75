import type { HostKey } from '../topology/host'

/** How much of the smoothed round trip a new one makes up: after five the old ones are a third of it. */
const weightOfNewest = 0.2

/** How long probes of one host took of late. */
export interface RoundTrip {
  /** Smoothed; undefined until it means something. */
  readonly millis: number | undefined
}

/** How long the hosts take to answer, in the smoothed milliseconds of their probes. Immutable. */
export type RoundTrips = ReadonlyMap<HostKey, RoundTrip>

/** Nobody has answered yet. */
export const noRoundTrips: RoundTrips = new Map()

/**
 * The host has answered a probe, and this is how long it took. The first one does not count: it includes connecting, which
 * takes many times as long, and a standby that has just joined is not to be kept waiting for that.
 */
export function noteRoundTrip(trips: RoundTrips, key: HostKey, millis: number): RoundTrips {
  const known = trips.get(key)
  const smoothed = known?.millis === undefined ? millis : known.millis + weightOfNewest * (millis - known.millis)
  return new Map([...trips, [key, Object.freeze({ millis: known === undefined ? undefined : smoothed })]])
}

/** The host has failed or is gone: when it answers again, that is the first time. */
export function forgetRoundTrip(trips: RoundTrips, key: HostKey): RoundTrips {
  return trips.has(key) ? new Map([...trips].filter(([other]) => other !== key)) : trips
}

/**
 * For each of these hosts that is too slow, in words how slow it is; the others answer within `windowMillis` of the
 * fastest of them, or nobody knows yet how fast they are.
 */
export function tooSlow(
  trips: RoundTrips,
  keys: readonly HostKey[],
  windowMillis: number,
): ReadonlyMap<HostKey, string> {
  const known = keys.flatMap((key) => {
    const millis = trips.get(key)?.millis
    return millis === undefined ? [] : [{ key, millis }]
  })
  const fastest = Math.min(...known.map(({ millis }) => millis))
  const slow = known.filter(({ millis }) => millis > fastest + windowMillis)
  return new Map(
    slow.map(({ key, millis }) => [
      key,
      `answers in ${shown(millis)} ms, the fastest in ${shown(fastest)} (latencyWindowMillis is ${windowMillis})`,
    ]),
  )
}

/** To a tenth. */
function shown(millis: number): string {
  return String(Math.round(millis * 10) / 10)
}
