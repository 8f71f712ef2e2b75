import { expect, it } from 'vitest'
import { forgetRoundTrip, noRoundTrips, noteRoundTrip, tooSlow } from '../../../src/core/selection/latency'
import fixtures from './latency.json'

interface Fixture {
  readonly name: string
  /** By host, how long its probes took; -1 for one that failed. */
  readonly trips: Readonly<Record<string, readonly number[]>>
  /** Who is asked about; all of them if left out. */
  readonly of?: readonly string[]
  /** Without end if null. */
  readonly window: number | null
  readonly slow: readonly string[]
}

it.each(fixtures as unknown as readonly Fixture[])('$name', ({ trips, of, window, slow }) => {
  let noted = noRoundTrips
  for (const [key, taken] of Object.entries(trips)) {
    for (const millis of taken) noted = millis < 0 ? forgetRoundTrip(noted, key) : noteRoundTrip(noted, key, millis)
  }
  const told = tooSlow(noted, of ?? Object.keys(trips), window ?? Infinity)
  expect([...told].map(([key, why]) => `${key} ${why}`)).toEqual(slow)
})
