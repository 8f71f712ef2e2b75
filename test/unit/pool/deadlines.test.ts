import { describe, expect, it } from 'vitest'
import { deadlineOf, holdLimitName, longestHold } from '../../../src/pool/deadlines'
import type { Limits } from '../../../src/pool/deadlines'
import { beginCall } from '../../../src/pool/ticket'
import type { Call } from '../../../src/pool/ticket'

const limits = (connectionTimeoutMillis?: number, failoverTimeoutMillis?: number): Limits => ({
  connectionTimeoutMillis,
  failoverTimeoutMillis,
})

const call = (arrival: number, heldMillis = 0, waitedMillis = 0): Call => ({
  ...beginCall(arrival),
  past: { resent: false, since: arrival, heldMillis, waitedMillis },
})

describe('the longest hold', () => {
  it.each([
    [limits(), 60_000, 'failoverTimeoutMillis'],
    [limits(500), 500, 'connectionTimeoutMillis'],
    [limits(undefined, 700), 700, 'failoverTimeoutMillis'],
    [limits(500, 700), 700, 'failoverTimeoutMillis'],
  ])('%j: %d ms, by %s', (given, millis, name) => {
    expect(longestHold(given)).toBe(millis)
    expect(holdLimitName(given)).toBe(name)
  })
})

describe('when the time of a call is up', () => {
  it('is one deadline from its arrival, if only connectionTimeoutMillis is set', () => {
    expect(deadlineOf(call(100), 'held', 300, limits(500))).toBe(600)
    expect(deadlineOf(call(100, 200), 'waiting', 300, limits(500))).toBe(600)
  })

  it('is never while it waits for a client, if nothing is set; a hold ends after a minute', () => {
    expect(deadlineOf(call(100), 'waiting', 300, limits())).toBe(Infinity)
    expect(deadlineOf(call(100), 'held', 50, limits())).toBe(60_100)
  })

  it('counts a hold from its beginning, or from the arrival of a call that came later', () => {
    expect(deadlineOf(call(100), 'held', 300, limits(undefined, 1000))).toBe(1300)
    expect(deadlineOf(call(400), 'held', 300, limits(undefined, 1000))).toBe(1400)
  })

  it('adds several holds up', () => {
    expect(deadlineOf(call(100, 250), 'held', 300, limits(undefined, 1000))).toBe(1050)
  })

  it('adds up what all attempts of a statement waited', () => {
    expect(deadlineOf(call(1000, 0, 300), 'waiting', 0, limits(500))).toBe(1200)
    expect(deadlineOf(call(1000, 200, 300), 'held', 1000, limits(500))).toBe(1200)
    expect(deadlineOf(call(1000, 200, 300), 'waiting', 0, limits(500, 5000))).toBe(1400)
  })

  it('does not count the hold against connectionTimeoutMillis, if each has a limit of its own', () => {
    expect(deadlineOf(call(100, 2000), 'waiting', 2100, limits(500, 5000))).toBe(2600)
    expect(deadlineOf(call(100), 'held', 100, limits(500, 5000))).toBe(5100)
  })
})
