import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lagOf, longestLagMillis, noteLeader, noTrack } from '../../../../src/core/selection/lag'
import type { LagTrack } from '../../../../src/core/selection/lag'

/** Steps of a leader: so many milliseconds later it has written so many bytes more. */
const step = (millis: number) =>
  fc.record({ millis: fc.integer({ min: 1, max: millis }), bytes: fc.nat({ max: 100_000 }) })
const steps = fc.oneof(...[25, 1000, 60_000].map((millis) => fc.array(step(millis), { minLength: 1, maxLength: 300 })))

interface Moment {
  readonly at: number
  readonly lsn: bigint
}

function moments(given: readonly { readonly millis: number; readonly bytes: number }[]): Moment[] {
  let [at, lsn] = [0, 0n]
  return given.map(({ millis, bytes }) => {
    at += millis
    lsn += BigInt(bytes)
    return { at, lsn }
  })
}

const trackOf = (samples: readonly Moment[]): LagTrack =>
  samples.reduce((track, { at, lsn }) => noteLeader(track, at, lsn), noTrack)

/** The last of them at which the leader was not beyond this position. */
const lastAt = (samples: readonly Moment[], lsn: bigint): Moment | undefined =>
  samples.filter((sample) => sample.lsn <= lsn).at(-1)

describe('a track of the leader', () => {
  it('is about a hundred samples of an hour, however often the leader is asked', () => {
    for (const millis of [5, 25, 250, 1000, 7000]) {
      let [track, longest] = [noTrack, 0]
      const asked = Math.min(40_000, 4_000_000 / millis)
      for (let count = 1; count <= asked && longest <= 128; count++) {
        track = noteLeader(track, count * millis, BigInt(count))
        longest = Math.max(longest, track.samples.length)
      }
      expect(longest).toBeLessThanOrEqual(128)
    }
  })

  it('keeps the newest sample, and neither times nor positions go back', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -500, max: 5000 }), fc.bigInt(-5000n, 50_000n)), { maxLength: 200 }),
        (given) => {
          let [at, lsn, track] = [0, 0n, noTrack]
          for (const [millis, bytes] of given) {
            at += millis
            lsn = lsn + bytes < 0n ? 0n : lsn + bytes
            const isNews = at > (track.samples.at(-1)?.at ?? -Infinity)
            track = noteLeader(track, at, lsn)
            if (isNews) expect(track.samples.at(-1)).toEqual({ at, lsn })
            expect(track.samples.length).toBeLessThanOrEqual(128)
          }
          track.samples.forEach((sample, index) => {
            const before = track.samples[index - 1]
            if (before === undefined) return
            expect(sample.at).toBeGreaterThanOrEqual(before.at)
            expect(sample.lsn).toBeGreaterThanOrEqual(before.lsn)
          })
        },
      ),
    )
  })
})

describe('how long a standby is behind', () => {
  it('is right to the distance of the samples about that moment: 250 ms, or 15 % of how long ago it was', () => {
    fc.assert(
      fc.property(steps, fc.double({ min: 0, max: 1, noNaN: true }), (given, part) => {
        const samples = moments(given)
        const newest = samples.at(-1)!
        const replayed = BigInt(Math.floor(Number(newest.lsn) * part))
        const lag = lagOf(trackOf(samples), { at: newest.at, lsn: replayed })!
        expect(lag.bytes).toBe(Number(newest.lsn - replayed))
        if (lag.bytes === 0) expect(lag.millis).toBe(0)
        if (lag.bytes === 0) return
        const from = lastAt(samples, replayed)
        const to = samples.find(({ lsn }) => lsn > replayed)!
        // Before the first sample, or beyond what a track remembers.
        const [most, least] = [newest.at - (from?.at ?? -Infinity), newest.at - to.at]
        // A gap counts by the age of its middle, which is a little more than that of its end.
        const slack = Math.max(250, 0.15 * Math.min(most, longestLagMillis)) * 1.2
        if (most <= longestLagMillis) expect(lag.millis).toBeLessThanOrEqual(most + slack)
        if (from === undefined) expect(lag.millis).toBe(Infinity)
        expect(lag.millis).toBeGreaterThanOrEqual(least - slack)
      }),
    )
  })

  it('is exact while samples are a second apart and it is a few seconds', () => {
    const samples = Array.from({ length: 600 }, (_, count) => ({ at: count * 1000, lsn: BigInt(count * count) }))
    const track = trackOf(samples)
    const now = 599_000
    for (let millis = 0; millis <= 5000; millis += 1000) {
      const then = samples[599 - millis / 1000]!
      expect(lagOf(track, { at: now, lsn: then.lsn })?.millis).toBe(millis)
    }
  })

  it('never says that less replayed is less behind', () => {
    fc.assert(
      fc.property(steps, fc.nat(), fc.nat(), (given, a, b) => {
        const track = trackOf(moments(given))
        const [less, more] = [BigInt(Math.min(a, b)), BigInt(Math.max(a, b))]
        const at = track.samples.at(-1)!.at
        const [far, near] = [lagOf(track, { at, lsn: less })!, lagOf(track, { at, lsn: more })!]
        expect(far.bytes).toBeGreaterThanOrEqual(near.bytes)
        expect(far.millis).toBeGreaterThanOrEqual(near.millis)
      }),
    )
  })

  it('grows with time for one that is cut off, and stays nothing for one that follows', () => {
    fc.assert(
      fc.property(steps, (given) => {
        const samples = moments([{ millis: 1, bytes: 1 }, ...given])
        let [track, last] = [noTrack, 0]
        for (const { at, lsn } of samples) {
          track = noteLeader(track, at, lsn)
          expect(lagOf(track, { at, lsn })).toEqual({ bytes: 0, millis: 0 })
          const { millis } = lagOf(track, { at, lsn: samples[0]!.lsn })!
          // Thinning moves a moment between its neighbours; time itself moves on.
          expect(millis).toBeGreaterThanOrEqual(last * 0.85 - 250)
          last = millis
        }
      }),
    )
  })
})
