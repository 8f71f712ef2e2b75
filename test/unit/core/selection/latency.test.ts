import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { forgetRoundTrip, noRoundTrips, noteRoundTrip, tooSlow } from '../../../../src/core/selection/latency'

const key = fc.constantFrom('a', 'b', 'c', 'd')
const trip = fc.tuple(key, fc.double({ min: 0, max: 1000, noNaN: true }))
const trips = fc.array(trip, { maxLength: 40 })
const noted = (given: readonly (readonly [string, number])[]) =>
  given.reduce((state, [host, millis]) => noteRoundTrip(state, host, millis), noRoundTrips)

describe('the latency window', () => {
  it('leaves somebody in, and a wider one whoever a narrower one left in', () => {
    const window = fc.double({ min: 0, max: 500, noNaN: true })
    fc.assert(
      fc.property(trips, window, window, (given, a, b) => {
        const keys = [...new Set(given.map(([host]) => host))]
        const [narrow, wide] = [Math.min(a, b), Math.max(a, b)].map((millis) => tooSlow(noted(given), keys, millis))
        if (keys.length > 0) expect(narrow!.size).toBeLessThan(keys.length)
        for (const slow of wide!.keys()) expect(narrow!.has(slow)).toBe(true)
      }),
    )
  })

  it('smooths between the least and the most that was noted, the first left out', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1000, noNaN: true }),
        fc.array(
          trip.map(([, millis]) => millis),
          { minLength: 1 },
        ),
        (first, taken) => {
          const { millis } = noted([first, ...taken].map((each) => ['a', each] as const)).get('a')!
          expect(millis).toBeGreaterThanOrEqual(Math.min(...taken) - 1e-9)
          expect(millis).toBeLessThanOrEqual(Math.max(...taken) + 1e-9)
        },
      ),
    )
  })

  it('leaves the state before as it was', () => {
    const before = noted([
      ['a', 1],
      ['a', 2],
    ])
    noteRoundTrip(before, 'a', 100)
    forgetRoundTrip(before, 'a')
    expect(before).toEqual(
      noted([
        ['a', 1],
        ['a', 2],
      ]),
    )
    expect(noRoundTrips.size).toBe(0)
  })
})
