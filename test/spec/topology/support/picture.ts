import { standing } from '../../../../src/core/topology/candidates'
import { planEffects } from '../../../../src/core/topology/effects'
import { explain } from '../../../../src/core/topology/explain'
import { reduceTopology } from '../../../../src/core/topology/reduce'
import { initialTopology } from '../../../../src/core/topology/state'
import type { TopologyState } from '../../../../src/core/topology/state'
import { targets } from '../../../../src/core/topology/targets'
import { parseEvent, printEffect } from './language'

/** All that is believed after a phase. What a fixture leaves out is expected to be absent. */
export interface Picture {
  /** The leader and its generation: `a 1`. */
  readonly leader?: string
  /** Generation, where there is no leader. */
  readonly generation?: number
  /** Where writes go now; left out while they are held. */
  readonly writesTo?: string
  /** Where a session with `target_session_attrs=any` may go. */
  readonly anyTo: string
  /** Per host how it stands, `?` behind one that is in doubt. */
  readonly hosts: string
  readonly splitBrain?: string
  /** Whom the leader had beside it on one timeline. */
  readonly rivals?: string
  /** Per host why writes do not go there; told where an authority is asked. */
  readonly reasons?: readonly string[]
  readonly leaderlessSince?: number
  readonly decideAt?: number
  /** What the phase's events had the shell do, in order. */
  readonly effects?: readonly string[]
}

export interface Phase {
  readonly events: readonly string[]
  readonly expect: Picture
}

/** One story: events in phases, and the whole picture after each of them. */
export interface Fixture {
  readonly name: string
  readonly hosts: readonly string[]
  /** The name of the authority, where one is asked. */
  readonly authority?: string
  readonly phases: readonly Phase[]
}

/** Times of every fixture: 100 ms to settle at the start, 1000 ms of another history until it is believed. */
const rules = { settleMillis: 100, lockoutMillis: 1000 }

/** Tells the story, and what was believed after each phase. */
export function play(
  fixture: Pick<Fixture, 'hosts' | 'authority'> & { readonly phases: readonly Pick<Phase, 'events'>[] },
): Picture[] {
  let state = initialTopology(fixture.hosts, { ...rules, authority: fixture.authority })
  return fixture.phases.map(({ events }) => {
    const effects: string[] = []
    for (const line of events) {
      const before = state
      state = reduceTopology(before, parseEvent(line, fixture.hosts))
      effects.push(...planEffects(before, state).map(printEffect))
    }
    return picture(state, effects)
  })
}

function picture(state: TopologyState, effects: readonly string[]): Picture {
  const { leader, generation, splitBrain, rivals, leaderlessSince, decideAt } = state
  const [writesTo] = targets(state, 'read-write')
  return {
    ...(leader ? { leader: `${leader.key} ${generation}` } : { generation }),
    ...(writesTo !== undefined && { writesTo }),
    anyTo: targets(state, 'any').join(','),
    hosts: state.hosts
      .map((host) => `${host.key} ${standing(state, host).type}${host.suspectedAt === undefined ? '' : '?'}`)
      .join(', '),
    ...(splitBrain.length > 0 && { splitBrain: splitBrain.join(',') }),
    ...(rivals.length > 0 && { rivals: rivals.join(',') }),
    ...(state.authority && {
      reasons: explain(state, 'read-write').map(({ host, reason }) => `${host} ${reason}`),
    }),
    ...(leaderlessSince !== undefined && { leaderlessSince }),
    ...(decideAt !== undefined && { decideAt }),
    ...(effects.length > 0 && { effects }),
  }
}
