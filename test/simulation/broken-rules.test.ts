import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { TopologyEvent } from '../../src/core/topology/events'
import type { TopologyState } from '../../src/core/topology/state'
import { histories } from './support/history'
import { calmInvariant, violations } from './support/invariants'
import type { InvariantName } from './support/invariants'
import { realRules } from './support/simulate'
import type { Rules } from './support/simulate'
import { seeded } from './support/seed'

type Reduce = Rules['reduce']

/** The real reducer, told something else than it knows. */
const forgetting =
  (forget: (state: TopologyState, event: TopologyEvent) => Partial<TopologyState>): Reduce =>
  (state, event) =>
    realRules.reduce({ ...state, ...forget(state, event) }, event)

/** The real reducer, with something else made of what it says. */
const distorting =
  (distort: (after: TopologyState, before: TopologyState) => Partial<TopologyState>): Reduce =>
  (state, event) => {
    const after = realRules.reduce(state, event)
    return after === state ? state : { ...after, ...distort(after, state) }
  }

/** For every invariant a copy of the rules with one of them missing: it has to be noticed. */
const broken: Record<InvariantName | typeof calmInvariant, Partial<Rules>> = {
  'a leader is never below the highest timeline that led': {
    reduce: forgetting(() => ({ highestTimeline: undefined })),
  },
  'nobody leads while a host of ours has shown a newer timeline twice': {
    reduce: forgetting((state) => ({ hosts: state.hosts.map((host) => ({ ...host, sightings: 0 })) })),
  },
  'a leader is never of another cluster': { reduce: forgetting(() => ({ systemIdentifier: undefined })) },
  'a leader is a host whose newest answer accepts writes': {
    // Old news is believed as if it were new.
    reduce: forgetting((state) => ({
      hosts: state.hosts.map((host) => ({ ...host, at: -Infinity, suspectedAt: undefined })),
    })),
  },
  'the generation never falls': {
    reduce: distorting((after) => (after.leader === undefined ? { generation: 0 } : {})),
  },
  'the generation rises when the leader or its incarnation changes, and only then': {
    // A blip is taken for a restart.
    reduce: forgetting(() => ({ lastLeader: undefined })),
  },
  'with two servers on the highest timeline nobody comes to lead': {
    // Everybody counts as the same server.
    reduce: (state, event) =>
      realRules.reduce(
        state,
        event.type === 'observed' ? { ...event, answer: { ...event.answer, postmasterStartTime: 'always' } } : event,
      ),
  },
  'a second primary on the timeline of the leader does not inherit the lead': {
    reduce: forgetting(() => ({ rivals: [] })),
  },
  'a leader that still answers gives way only to one that was seen twice': {
    reduce: forgetting((state) => ({ hosts: state.hosts.map((host) => ({ ...host, confirmations: 9 })) })),
  },
  'nothing in doubt is a target, and writes go to the leader alone': {
    reduce: (state, event) => (event.type === 'suspected' ? state : realRules.reduce(state, event)),
  },
  'writes go only where the authority has said, and only while its word holds': {
    // A lease never ends.
    reduce: (state, event) =>
      realRules.reduce(
        state,
        event.type === 'spoken' ? { ...event, verdict: { ...event.verdict, leaseMillis: 1e9 } } : event,
      ),
  },
  'a leader is announced when it can be used, and its loss when it cannot': {
    effects: (before, after) => realRules.effects(before, after).filter(({ type }) => type !== 'leader-lost'),
  },
  'the first announcement of a generation says that it is new': {
    effects: (before, after) =>
      realRules
        .effects(before, after)
        .map((effect) => (effect.type === 'leader-ready' ? { ...effect, changed: false } : effect)),
  },
  'what is left of the last leader is cut when there is another or history has left it, and nobody else is': {
    effects: (before, after) => realRules.effects(before, after).filter(({ type }) => type !== 'cut'),
  },
  'a loss has a time': {
    effects: (before, after) =>
      realRules
        .effects(before, after)
        .map((effect) => (effect.type === 'leader-lost' ? { ...effect, at: -1 } : effect)),
  },
  'those who wait are told when there is somewhere to go': {
    effects: (before, after) => realRules.effects(before, after).filter(({ type }) => type !== 'publish'),
  },
  [calmInvariant]: {
    // Who has led once never leads again.
    reduce: distorting((after, before) =>
      before.lastLeader !== undefined && before.leader === undefined && after.leader?.key === before.lastLeader.key
        ? { leader: undefined }
        : {},
    ),
  },
}

it.each(Object.entries(broken))('%s: a missing rule is noticed', (name, rules) => {
  const noticed = fc.check(
    fc.property(
      histories({ authority: name.includes('authority') }),
      (history) => !violations(history, { ...realRules, ...rules }, [name as InvariantName]).has(name),
    ),
    { ...seeded(1000), endOnFailure: true },
  )
  expect(noticed.failed).toBe(true)
})
