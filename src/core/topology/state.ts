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
  /** The name of the authority that has to confirm the leader; undefined: none is asked. */
  readonly authority?: string | undefined
}

/** What the authority said when it could be asked last. */
export interface Word {
  /** When the question was sent. */
  readonly at: number
  /** Its own name for the leader; undefined: it says that nobody leads. */
  readonly named: string | undefined
  /** The host of the list that this is. */
  readonly host: HostKey | undefined
  /** Until when its word holds. */
  readonly until: number
}

/** The authority that has to confirm the leader. */
export interface AuthorityState {
  readonly name: string
  readonly word: Word | undefined
  /** When its last word ceased to hold, once that was noticed. */
  readonly lapsedAt: number | undefined
  /** Why it could not be asked, if that is so. */
  readonly failure: string | undefined
}

/** Everything believed of the cluster. Frozen; `reduceTopology` makes the next one. */
export interface TopologyState {
  readonly rules: TopologyRules
  /** In the order of the host list; behind it the leader, if it is no longer on the list. */
  readonly hosts: readonly HostRecord[]
  readonly leader: Leader | undefined
  /** The leader that is no longer on the list: it is followed until another one leads, or it is lost. */
  readonly delisted: HostKey | undefined
  /** Who led last, kept while there is no leader: the story of a failover begins there. */
  readonly lastLeader: Leader | undefined
  /** When the last leader was lost; undefined while there is one, and before the first. */
  readonly leaderlessSince: number | undefined
  /** Counts leader changes. A client of an older generation is retired. 0: no leader yet. */
  readonly generation: number
  readonly systemIdentifier: string | undefined
  /** Highest timeline that was seen under this identity. A primary below it is stale. */
  readonly highestTimeline: number | undefined
  /** When that was learned. */
  readonly highestTimelineAt: number
  /** The highest timeline as of when a host left the list that may be on it still, unseen. */
  readonly unseenTimeline: number | undefined
  /** Hosts that all claim the lead on one timeline, while that is so; empty otherwise. */
  readonly splitBrain: readonly HostKey[]
  /**
   * Hosts that claimed the lead on the leader's timeline while that was alive and well: since then there are two histories of
   * one number. When the leader fails they are not the ones to go on with.
   */
  readonly rivals: readonly HostKey[]
  /** When a choice that has to wait is due: the shell sends a `tick` then. */
  readonly decideAt: number | undefined
  /** Since when every answering host carries another history than ours. */
  readonly lockedOutSince: number | undefined
  /** Which history that is. */
  readonly lockedOutBy: string | undefined
  readonly authority: AuthorityState | undefined
  /** This process was blocked and may not have read what was told meanwhile: until then nothing is decided for want of it. */
  readonly stalledUntil: number
}

/** A cluster of which only the host list is known. */
export function initialTopology(keys: readonly HostKey[], rules: TopologyRules): TopologyState {
  return Object.freeze({
    rules,
    hosts: Object.freeze(keys.map(unknownHost)),
    leader: undefined,
    delisted: undefined,
    lastLeader: undefined,
    leaderlessSince: undefined,
    generation: 0,
    systemIdentifier: undefined,
    highestTimeline: undefined,
    highestTimelineAt: -Infinity,
    unseenTimeline: undefined,
    splitBrain: Object.freeze([]),
    rivals: Object.freeze([]),
    decideAt: undefined,
    lockedOutSince: undefined,
    lockedOutBy: undefined,
    authority:
      rules.authority === undefined
        ? undefined
        : Object.freeze({ name: rules.authority, word: undefined, lapsedAt: undefined, failure: undefined }),
    stalledUntil: -Infinity,
  })
}

/** The record of one host, if it is on the list. */
export function hostRecord(state: TopologyState, key: HostKey): HostRecord | undefined {
  return state.hosts.find((host) => host.key === key)
}

/**
 * When the leader was put in doubt: by a lost connection, and no probe has cleared it yet; or because its lease ran out while
 * this process was blocked, and the authority could not be heard yet. Undefined if it is not in doubt.
 */
export function doubtedAt({ leader, hosts, authority }: TopologyState): number | undefined {
  if (leader === undefined) return undefined
  return hosts.find((host) => host.key === leader.key)?.suspectedAt ?? authority?.lapsedAt
}

/** Whether the leader is in doubt: it goes on leading, and is not used. */
export function leaderSuspected(state: TopologyState): boolean {
  return doubtedAt(state) !== undefined
}

/** Identity and timelines become unknown again; the next election sets them anew. */
export function forgetHistory(state: TopologyState): TopologyState {
  return {
    ...state,
    systemIdentifier: undefined,
    highestTimeline: undefined,
    unseenTimeline: undefined,
    rivals: Object.freeze([]),
  }
}
