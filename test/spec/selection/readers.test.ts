import { expect, it } from 'vitest'
import { ban, noBans, noteAnswer } from '../../../src/core/selection/ban'
import { noteLeader, noTrack } from '../../../src/core/selection/lag'
import { noRoundTrips, noteRoundTrip } from '../../../src/core/selection/latency'
import { eligibleReaders } from '../../../src/core/selection/readers'
import type { ReadRules } from '../../../src/core/selection/readers'
import type { Tags } from '../../../src/core/selection/tags'
import { hostRecord, initialTopology } from '../../../src/core/topology/state'
import { reduceTopology } from '../../../src/core/topology/reduce'
import { parseEvent } from '../topology/support/language'
import fixtures from './readers.json'

interface Phase {
  /** Events of the topology, as its own fixtures write them, and `TIME HOST fails` for a read that failed there. */
  readonly events: readonly string[]
  /** The time of the last event if left out. */
  readonly now?: number
  readonly readers: string
  readonly why: readonly string[]
  /** Never if left out. */
  readonly until?: number
}

interface Fixture {
  readonly name: string
  readonly hosts: readonly string[]
  readonly rules?: Partial<Pick<ReadRules, 'maxLagMillis' | 'maxLagBytes' | 'latencyWindowMillis' | 'tags'>>
  readonly tags?: Readonly<Record<string, Tags>>
  /** By host, how long its probes took. */
  readonly trips?: Readonly<Record<string, readonly number[]>>
  readonly phases: readonly Phase[]
}

const unlimited = { maxLagMillis: Infinity, maxLagBytes: Infinity, latencyWindowMillis: Infinity, tags: [] }

it.each(fixtures as unknown as readonly Fixture[])('$name', ({ hosts, rules, tags = {}, trips = {}, phases }) => {
  let state = initialTopology(hosts, { settleMillis: 0, lockoutMillis: 1_000_000 })
  let [track, bans, roundTrips, now] = [noTrack, noBans, noRoundTrips, 0]
  for (const [key, taken] of Object.entries(trips)) {
    for (const millis of taken) roundTrips = noteRoundTrip(roundTrips, key, millis)
  }
  const play = (line: string): void => {
    const [time, key = '', what] = line.split(' ')
    now = Number(time)
    if (what === 'fails') {
      bans = ban(bans, key, now)
      return
    }
    const event = parseEvent(line, hosts)
    state = reduceTopology(state, event)
    if (event.type === 'observed') bans = noteAnswer(bans, event.host, event.at)
    const leader = state.leader && hostRecord(state, state.leader.key)
    if (leader?.answer?.lsn !== undefined)
      track = noteLeader(track, leader.at, leader.answer.lsn, leader.answer.timeline)
  }
  const told = phases.map(({ until: _, ...phase }): Phase => {
    phase.events.forEach(play)
    const tagsOf = new Map(Object.entries(tags))
    const given = { ...unlimited, ...rules, tagsOf, track, bans, roundTrips }
    const { readers, why, until } = eligibleReaders(state, given, phase.now ?? now)
    return {
      ...phase,
      readers: readers.join(','),
      why: [...why].map(([key, reason]) => `${key} ${reason}`),
      ...(until < Infinity && { until }),
    }
  })
  expect(told).toEqual(phases)
})
