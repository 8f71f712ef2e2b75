import { confirmedHost, mindLease } from './authority'
import { contenders, presumedIdentity, standing } from './candidates'
import type { Contender } from './candidates'
import { acceptHistory, believe, learnTimeline, lockout, mindRivals } from './history'
import { hostRecord } from './state'
import type { Leader, TopologyState } from './state'

/** How many probes of a new leader it takes to depose one that still answers. */
const confirmationsToDepose = 2

/**
 * Draws the conclusion from what is known of the hosts: who leads. Called after every change of a host's record. The
 * highest timeline wins; on one timeline nobody replaces the leader we have, and a leader that still answers is deposed
 * only by one that was found fit to lead twice. Where an authority is asked, only the host that it names may lead.
 */
export function elect(given: TopologyState, at: number): TopologyState {
  const state = acceptHistory(learnTimeline(mindLease(given, at), at))
  const claimants = contenders(state)
  const splitBrain = contend(claimants) ? Object.freeze(claimants.filter(isKnown).map(({ host }) => host.key)) : noHosts
  const rivals = state.authority === undefined ? mindRivals(state, splitBrain) : noHosts
  const next: TopologyState = {
    ...state,
    splitBrain,
    rivals,
    decideAt: undefined,
    lockedOutSince: undefined,
    lockedOutBy: undefined,
  }
  const decided = state.authority === undefined ? decide(next, claimants, given, at) : decideByWord(next, claimants, at)
  return Object.freeze(decided)
}

const noHosts: readonly string[] = Object.freeze([])

/** Of servers that show neither identity nor timeline (a fork where each of them takes writes) nobody knows that they contend. */
function isKnown({ answer }: Contender): boolean {
  return answer.timeline !== undefined || answer.systemIdentifier !== undefined
}

function contend(claimants: readonly Contender[]): boolean {
  return claimants.filter(isKnown).length > 1
}

function decide(
  state: TopologyState,
  claimants: readonly Contender[],
  given: TopologyState,
  at: number,
): TopologyState {
  const incumbent = claimants.find(({ host }) => host.key === state.leader?.key)
  // While it is in doubt it is not told anew in which incarnation it leads: whoever announces that would do so to nobody.
  if (incumbent !== undefined) return incumbent.host.suspectedAt === undefined ? crown(state, incumbent, at) : state
  const candidates = claimants.filter(({ host }) => !state.rivals.includes(host.key))
  const [winner] = candidates
  // Nobody new is believed yet; a leader that still answers goes on until somebody is.
  const isBelieved = winner !== undefined && isConfirmed(state, winner) && !contend(candidates)
  if (!isBelieved && stillLeads(state)) return state
  if (winner === undefined) return mindLockout(dismiss(state, at), given, at)
  if (!isBelieved) return dismiss(state, at)
  const settled = settledAt(state, claimants, given.decideAt) ?? at
  return settled > at ? { ...state, decideAt: settled } : crown(state, winner, at)
}

/** An authority has to confirm the leader; its word breaks ties, and makes a second look needless. */
function decideByWord(state: TopologyState, claimants: readonly Contender[], at: number): TopologyState {
  const { authority, leader, stalledUntil } = state
  const confirmed = confirmedHost(state)
  // Its lease ran out while this process was blocked: the authority is asked before the leader is given up.
  const isUnheard = leader?.key !== confirmed && authority?.word?.host === leader?.key && at < stalledUntil
  if (isUnheard && stillLeads(state)) return { ...state, decideAt: stalledUntil }
  const winner = claimants.find(({ host }) => host.key === confirmed && host.suspectedAt === undefined)
  const keeps = leader !== undefined && leader.key === confirmed && stillLeads(state)
  const next = winner === undefined ? (keeps ? state : dismiss(state, at)) : crown(state, winner, at)
  // Also while nobody leads: the host that was named may answer when the word is old.
  return confirmed === undefined ? next : { ...next, decideAt: authority?.word?.until }
}

/** A host in doubt is elected by nobody; one that would depose a leader who still answers needs a second look. */
function isConfirmed(state: TopologyState, { host }: Contender): boolean {
  return host.suspectedAt === undefined && (!stillLeads(state) || host.confirmations >= confirmationsToDepose)
}

/** The leader we have still takes writes, on the newest history that we know of. */
function stillLeads(state: TopologyState): boolean {
  const host = state.leader && hostRecord(state, state.leader.key)
  return host !== undefined && standing(state, host).type === 'eligible'
}

/** Before the first leader: wait until every host has spoken, or a moment after the first that could lead. */
function settledAt(
  state: TopologyState,
  claimants: readonly Contender[],
  announced: number | undefined,
): number | undefined {
  const everyHostSpoke = state.hosts.every((host) => host.answer !== undefined || host.failure !== undefined)
  if (state.generation > 0 || everyHostSpoke) return undefined
  const first = Math.min(...claimants.map(({ host }) => host.at))
  return Math.max(announced ?? first + state.rules.settleMillis, state.stalledUntil)
}

function crown(state: TopologyState, { host, answer }: Contender, at: number): TopologyState {
  const present = state.leader ?? (state.lastLeader?.key === host.key ? state.lastLeader : undefined)
  const same =
    present?.key === host.key &&
    unchanged(present.timeline, answer.timeline) &&
    unchanged(present.postmasterStartTime, answer.postmasterStartTime)
  const leader: Leader = Object.freeze({
    key: host.key,
    // A column that becomes readable later completes the picture of the same incarnation.
    timeline: answer.timeline ?? (same ? present.timeline : undefined),
    postmasterStartTime: answer.postmasterStartTime ?? (same ? present.postmasterStartTime : undefined),
    electedAt: same ? present.electedAt : at,
  })
  const isNewer = answer.timeline !== undefined && answer.timeline > (state.highestTimeline ?? -Infinity)
  return {
    ...state,
    leader: same && equal(present, leader) ? present : leader,
    lastLeader: same && equal(present, leader) ? present : leader,
    leaderlessSince: undefined,
    generation: state.generation + (same ? 0 : 1),
    systemIdentifier: state.systemIdentifier ?? answer.systemIdentifier ?? presumedIdentity(state),
    ...(isNewer && { highestTimeline: answer.timeline, highestTimelineAt: at }),
  }
}

function unchanged<T>(before: T | undefined, after: T | undefined): boolean {
  return before === undefined || after === undefined || before === after
}

function equal(a: Leader, b: Leader): boolean {
  return a.timeline === b.timeline && a.postmasterStartTime === b.postmasterStartTime
}

function dismiss(state: TopologyState, at: number): TopologyState {
  if (state.leader === undefined) return state
  const lostAt = hostRecord(state, state.leader.key)?.suspectedAt ?? at
  return { ...state, leader: undefined, leaderlessSince: Math.min(lostAt, at) }
}

/**
 * The rules must not lock an application out for ever: upgrades and restores change the identity or lower the timeline.
 * When all that answers has carried one other history through a whole failover time, that history is the truth.
 */
function mindLockout(state: TopologyState, given: TopologyState, at: number): TopologyState {
  const out = lockout(state)
  if (out === undefined) return state
  const by = out.type === 'identity' ? out.by : out.type
  const since = given.lockedOutBy === by ? (given.lockedOutSince ?? at) : at
  const due = Math.max(since + state.rules.lockoutMillis, state.stalledUntil)
  return due > at ? { ...state, lockedOutSince: since, lockedOutBy: by, decideAt: due } : elect(believe(state, out), at)
}
