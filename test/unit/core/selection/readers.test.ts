import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ban, isBanned, noBans } from '../../../../src/core/selection/ban'
import { noteLeader, noTrack } from '../../../../src/core/selection/lag'
import { noRoundTrips, noteRoundTrip } from '../../../../src/core/selection/latency'
import { eligibleReaders } from '../../../../src/core/selection/readers'
import type { ReadRules } from '../../../../src/core/selection/readers'
import type { Observation } from '../../../../src/core/topology/host'
import { reduceTopology } from '../../../../src/core/topology/reduce'
import { hostRecord, initialTopology } from '../../../../src/core/topology/state'
import type { TopologyState } from '../../../../src/core/topology/state'

const keys = ['a', 'b', 'c', 'd']
const key = fc.constantFrom(...keys)
const orUnread = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 5, arbitrary: value }, fc.constant(undefined))

const answer: fc.Arbitrary<Observation> = fc.record({
  inRecovery: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false)),
  defaultTransactionReadOnly: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.constant(true)),
  systemIdentifier: orUnread(fc.oneof({ weight: 5, arbitrary: fc.constant('X') }, fc.constant('Y'))),
  timeline: orUnread(fc.integer({ min: 1, max: 3 })),
  postmasterStartTime: orUnread(key),
  lsn: orUnread(fc.bigInt(1n, 1000n)),
  roundTripMillis: fc.constant(1),
})
const failure = { reason: 'timeout', aboutCaller: false, error: new Error('timeout') }
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('observed' as const), host: key, answer }) },
  fc.record({ type: fc.constant('failed' as const), host: key, failure: fc.constant(failure) }),
  fc.record({ type: fc.constant('suspected' as const), host: key }),
)
const tags = fc.record({ zone: fc.constantFrom('z1', 'z2') })
const limit = (most: number) => fc.oneof(fc.constant(Infinity), fc.nat({ max: most }))

interface World {
  readonly state: TopologyState
  readonly rules: ReadRules
  readonly now: number
}

/** A cluster after some events a hundred milliseconds apart, and whatever the options say. */
const world: fc.Arbitrary<World> = fc
  .record({
    steps: fc.array(step, { maxLength: 30 }),
    bans: fc.array(fc.tuple(key, fc.nat({ max: 3000 })), { maxLength: 6 }),
    trips: fc.array(fc.tuple(key, fc.nat({ max: 50 })), { maxLength: 12 }),
    maxLagMillis: limit(2000),
    maxLagBytes: limit(500),
    latencyWindowMillis: limit(20),
    tags: fc.array(tags, { maxLength: 2 }),
    tagsOf: fc.array(fc.tuple(key, tags), { maxLength: 4 }),
  })
  .map(({ steps, bans, trips, tagsOf, ...options }) => {
    let [state, track] = [initialTopology(keys, { settleMillis: 0, lockoutMillis: 1000 }), noTrack]
    steps.forEach((each, index) => {
      state = reduceTopology(state, { ...each, at: index * 100 })
      const leader = state.leader && hostRecord(state, state.leader.key)
      if (leader?.answer?.lsn !== undefined)
        track = noteLeader(track, leader.at, leader.answer.lsn, leader.answer.timeline)
    })
    const rules: ReadRules = {
      ...options,
      track,
      tagsOf: new Map(tagsOf),
      bans: bans.reduce((all, [host, at]) => ban(all, host, at), noBans),
      roundTrips: trips.reduce((all, [host, millis]) => noteRoundTrip(all, host, millis), noRoundTrips),
    }
    return { state, rules, now: steps.length * 100 }
  })

const anyRules = { latencyWindowMillis: Infinity, maxLagMillis: Infinity, maxLagBytes: Infinity, tags: [] }

describe('eligible readers', () => {
  it('are standbys that answer, of our cluster and not banned; of every other host it is said why not', () => {
    fc.assert(
      fc.property(world, ({ state, rules, now }) => {
        const { readers, why } = eligibleReaders(state, rules, now)
        expect([...readers, ...why.keys()].sort()).toEqual(keys)
        for (const reason of why.values()) expect(reason).toMatch(/^[a-z]/)
        for (const reader of readers) {
          const { answer: told } = hostRecord(state, reader)!
          expect(told?.inRecovery).toBe(true)
          if (state.systemIdentifier !== undefined)
            expect([state.systemIdentifier, undefined]).toContain(told?.systemIdentifier)
          expect(isBanned(rules.bans, reader, now)).toBe(false)
          expect(reader).not.toBe(state.leader?.key)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('are there whenever a standby would be without tags and window: these choose, and never refuse', () => {
    fc.assert(
      fc.property(world, ({ state, rules, now }) => {
        const { tags: _, latencyWindowMillis: __, ...others } = rules
        const all = eligibleReaders(state, { ...anyRules, ...others, tags: [], latencyWindowMillis: Infinity }, now)
        const chosen = eligibleReaders(state, rules, now)
        expect(chosen.readers.length === 0).toBe(all.readers.length === 0)
        for (const reader of chosen.readers) expect(all.readers).toContain(reader)
      }),
      { numRuns: 1000 },
    )
  })

  it('are fewer or the same under a limit, unless it is doubt alone that kept others out', () => {
    fc.assert(
      fc.property(world, ({ state, rules, now }) => {
        const unlimited = eligibleReaders(state, { ...rules, ...anyRules }, now)
        const limited = eligibleReaders(
          state,
          { ...rules, ...anyRules, maxLagMillis: rules.maxLagMillis, maxLagBytes: rules.maxLagBytes },
          now,
        )
        for (const reader of limited.readers) {
          if (hostRecord(state, reader)?.suspectedAt === undefined) expect(unlimited.readers).toContain(reader)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('stay the same until the time that is said', () => {
    fc.assert(
      fc.property(world, fc.double({ min: 0, max: 0.999, noNaN: true }), ({ state, rules, now }, part) => {
        const { readers, until } = eligibleReaders(state, rules, now)
        expect(until).toBeGreaterThan(now)
        const later = now + part * Math.min(until - now, 10_000)
        expect(eligibleReaders(state, rules, later).readers).toEqual(readers)
      }),
      { numRuns: 1000 },
    )
  })
})
