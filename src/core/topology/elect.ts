import { contenders, presumedIdentity, standing } from './candidates'
import type { Contender } from './candidates'
import { hostRecord } from './state'
import type { Leader, TopologyState } from './state'

/** How many probes of a new leader it takes to depose one that still answers. */
const confirmationsToDepose = 2

/**
 * Draws the conclusion from what is known of the hosts: who leads. Called after every change of a host's record. The
 * highest timeline wins; on one timeline nobody replaces the leader we have, and a leader that still answers is deposed
 * only by one that was found fit to lead twice.
 */
export function elect(given: TopologyState, at: number): TopologyState {
  const state = learnTimeline(given)
  const rivals = contenders(state)
  // Of servers that show neither identity nor timeline (a fork where each of them takes writes) nobody knows that they contend.
  const known = rivals.filter(({ answer }) => answer.timeline !== undefined || answer.systemIdentifier !== undefined)
  const splitBrain = known.length > 1 ? Object.freeze(known.map(({ host }) => host.key)) : noHosts
  const incumbent = rivals.find(({ host }) => host.key === state.leader?.key)
  const winner = splitBrain.length > 0 ? incumbent : (incumbent ?? rivals[0])
  const next: TopologyState = {
    ...state,
    splitBrain,
    decideAt: undefined,
    lockedOutSince: undefined,
    lockedOutBy: undefined,
  }

  if (winner !== undefined && winner === incumbent) return crown(next, winner, at)
  if (rivals.length === 0)
    return mindLockout(
      { ...dismiss(next, at), lockedOutSince: state.lockedOutSince, lockedOutBy: state.lockedOutBy },
      at,
    )
  if (winner === undefined || !isConfirmed(state, winner)) {
    // Nobody new is believed yet; a leader that still answers goes on until somebody is.
    return freeze(stillLeads(state) ? next : dismiss(next, at))
  }
  const settled = settledAt(state, rivals, at)
  return settled > at ? freeze({ ...next, decideAt: settled }) : crown(next, winner, at)
}

const noHosts: readonly string[] = Object.freeze([])

/** A host in doubt is elected by nobody; one that would depose a leader who still answers needs a second look. */
function isConfirmed(state: TopologyState, { host }: Contender): boolean {
  return host.suspectedAt === undefined && (!stillLeads(state) || host.confirmations >= confirmationsToDepose)
}

/** The leader we have still takes writes, on the newest history that we know of. */
function stillLeads(state: TopologyState): boolean {
  const host = state.leader && hostRecord(state, state.leader.key)
  return host !== undefined && standing(state, host).type === 'eligible'
}

/** A timeline on which a host of ours was found fit to lead twice is there, whoever leads, and whoever claims a higher one. */
function learnTimeline(state: TopologyState): TopologyState {
  if (state.systemIdentifier === undefined) return state
  const seen = state.hosts.flatMap((host) => {
    const timeline = host.confirmations >= confirmationsToDepose ? host.answer?.timeline : undefined
    return timeline !== undefined && standing(state, host).type === 'eligible' ? [timeline] : []
  })
  const highestTimeline = Math.max(state.highestTimeline ?? 0, ...seen)
  return highestTimeline > (state.highestTimeline ?? 0) ? { ...state, highestTimeline } : state
}

/** Before the first leader: wait until every host has spoken, or a moment after the first that could lead. */
function settledAt(state: TopologyState, rivals: readonly Contender[], at: number): number {
  const everyHostSpoke = state.hosts.every((host) => host.answer !== undefined || host.failure !== undefined)
  if (state.generation > 0 || everyHostSpoke) return at
  return state.decideAt ?? Math.min(...rivals.map(({ host }) => host.at)) + state.rules.settleMillis
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
  const timelines = [state.highestTimeline, answer.timeline].filter((timeline) => timeline !== undefined)
  return freeze({
    ...state,
    leader: same && equal(present, leader) ? present : leader,
    lastLeader: same && equal(present, leader) ? present : leader,
    leaderlessSince: undefined,
    generation: state.generation + (same ? 0 : 1),
    systemIdentifier: state.systemIdentifier ?? answer.systemIdentifier ?? presumedIdentity(state),
    highestTimeline: timelines.length > 0 ? Math.max(...timelines) : undefined,
  })
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
 * A lower timeline is believed only while no host is out of reach, and none shows the newer one: the true leader might be
 * the one that does not answer.
 */
function mindLockout(state: TopologyState, at: number): TopologyState {
  const by = state.generation === 0 ? undefined : otherHistory(state)
  if (by === undefined) return freeze({ ...state, lockedOutSince: undefined, lockedOutBy: undefined })
  const since = state.lockedOutBy === by ? (state.lockedOutSince ?? at) : at
  const due = since + state.rules.lockoutMillis
  if (due > at) return freeze({ ...state, lockedOutSince: since, lockedOutBy: by, decideAt: due })
  return elect(by === lowerTimeline ? { ...state, highestTimeline: undefined } : forgetHistory(state), at)
}

const lowerTimeline = 'a lower timeline'

/** The history that all who answer carry, if it is not ours. */
function otherHistory(state: TopologyState): string | undefined {
  const answering = state.hosts.filter((host) => host.answer !== undefined)
  const judged = answering.map((host) => ({ type: standing(state, host).type, answer: host.answer }))
  const identities = new Set(judged.map(({ answer }) => answer?.systemIdentifier))
  if (judged.length > 0 && judged.every(({ type }) => type === 'foreign') && identities.size === 1) {
    return [...identities][0]
  }
  const showsNewer = judged.some(
    ({ type, answer }) => type !== 'foreign' && (answer?.timeline ?? 0) >= (state.highestTimeline ?? Infinity),
  )
  const onlyOlder = judged.some(({ type }) => type === 'stale') && !showsNewer
  return onlyOlder && answering.length === state.hosts.length ? lowerTimeline : undefined
}

/** Identity and timelines become unknown again; the next election sets them anew. */
export function forgetHistory(state: TopologyState): TopologyState {
  return { ...state, systemIdentifier: undefined, highestTimeline: undefined }
}

function freeze(state: TopologyState): TopologyState {
  return Object.freeze(state)
}
