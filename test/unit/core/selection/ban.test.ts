import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ban, isBanned, longestBanMillis, noBans, noteAnswer } from '../../../../src/core/selection/ban'
import type { Bans } from '../../../../src/core/selection/ban'

const key = fc.constantFrom('a', 'b', 'c')
const event = fc.record({ key, millis: fc.nat({ max: 40_000 }), what: fc.constantFrom('fails', 'answers') })

/** Every state of a story, with the time at which it began. */
function play(
  events: readonly { readonly key: string; readonly millis: number; readonly what: string }[],
): { at: number; bans: Bans; then: Bans }[] {
  let [at, bans] = [0, noBans]
  return events.map(({ key: host, millis, what }) => {
    at += millis
    bans = what === 'fails' ? ban(bans, host, at) : noteAnswer(bans, host, at)
    return { at, bans, then: new Map(bans) }
  })
}

describe('bans', () => {
  it('follow every failure, last a second at least and half a minute at most, and a good answer ends them', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        play(events).forEach(({ at, bans }, index) => {
          const { key: host, what } = events[index]!
          if (what === 'fails') expect(isBanned(bans, host, at)).toBe(true)
          for (const [banned, { since, until, millis }] of bans) {
            expect(since).toBeLessThan(until)
            expect(until - since).toBeLessThanOrEqual(millis)
            expect(millis).toBeGreaterThanOrEqual(1000)
            expect(millis).toBeLessThanOrEqual(longestBanMillis)
            expect(isBanned(noteAnswer(bans, banned, since + 0.5), banned, since + 0.5)).toBe(false)
            expect(isBanned(bans, banned, until)).toBe(false)
          }
        })
      }),
    )
  })

  it('leave the state before as it was', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), (events) => {
        for (const { bans, then } of play(events)) expect(bans).toEqual(then)
        expect(noBans.size).toBe(0)
      }),
    )
  })

  it('of hosts that are gone are not kept for ever', () => {
    let bans = noBans
    for (let count = 0; count < 1000; count++) bans = ban(bans, `host-${count}`, count * 1000)
    expect(bans.size).toBeLessThanOrEqual(32)
  })
})
