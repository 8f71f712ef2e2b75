import type { HostKey, HostRecord } from './host'
import { unknownHost } from './host'

/** The leader, as elected. */
export interface Leader {
  readonly key: HostKey
  /** Timeline and start time identify the incarnation: a leader that crashed and came back is another one. */
  readonly timeline: number | undefined
  readonly postmasterStartTime: string | undefined
  readonly electedAt: number
}

/** What the rules may be told by options; constant for the life of a topology. */
export interface TopologyRules {
  /** How long every answering host must carry another identity before that identity becomes the truth. */
  readonly lockoutMillis: number
  /** At the start: how long after the first host that could lead the others are waited for. */
  readonly settleMillis: number
}

/** Everything believed of the cluster. Frozen; `reduceTopology` makes the next one. */
export interface TopologyState {
  readonly rules: TopologyRules
  /** In the order of the host list. */
  readonly hosts: readonly HostRecord[]
  readonly leader: Leader | undefined
  /** Who led last, kept while there is no leader: the story of a failover begins there. */
  readonly lastLeader: Leader | undefined
  /** When the last leader was lost; undefined while there is one, and before the first. */
  readonly leaderlessSince: number | undefined
  /** Counts leader changes. A client of an older generation is retired. 0: no leader yet. */
  readonly generation: number
  readonly systemIdentifier: string | undefined
  /** Highest timeline on which a leader was seen under this identity. Below it is a stale primary. */
  readonly highestTimeline: number | undefined
  /** Hosts that all claim the lead on one timeline, while that is so; empty otherwise. */
  readonly splitBrain: readonly HostKey[]
  /** When a choice that has to wait is due: the shell sends a `tick` then. */
  readonly decideAt: number | undefined
  /** Since when every answering host carries another history than ours. */
  readonly lockedOutSince: number | undefined
  /** Which history that is. */
  readonly lockedOutBy: string | undefined
}

/** A cluster of which only the host list is known. */
export function initialTopology(keys: readonly HostKey[], rules: TopologyRules): TopologyState {
  return Object.freeze({
    rules,
    hosts: Object.freeze(keys.map(unknownHost)),
    leader: undefined,
    lastLeader: undefined,
    leaderlessSince: undefined,
    generation: 0,
    systemIdentifier: undefined,
    highestTimeline: undefined,
    splitBrain: Object.freeze([]),
    decideAt: undefined,
    lockedOutSince: undefined,
    lockedOutBy: undefined,
  })
}

/** The record of one host, if it is on the list. */
export function hostRecord(state: TopologyState, key: HostKey): HostRecord | undefined {
  return state.hosts.find((host) => host.key === key)
}

/** Whether the leader has been put in doubt by a lost connection and no probe has cleared it yet. */
export function leaderSuspected(state: TopologyState): boolean {
  return state.leader !== undefined && hostRecord(state, state.leader.key)?.suspectedAt !== undefined
}
