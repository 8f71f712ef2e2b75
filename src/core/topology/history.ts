import { confirmedHost, isOverruled } from './authority'
import { standing } from './candidates'
import { acceptsWrites } from './host'
import type { HostKey } from './host'
import { forgetHistory, hostRecord } from './state'
import type { TopologyState } from './state'

/** One look may be mistaken; what was seen twice is there. */
const sightingsToBelieve = 2

/**
 * A timeline that a host of ours was seen on twice is there, whoever leads: history has gone on without those below it. The
 * host need not take writes itself: it may be fenced still, or follow a primary that we cannot reach.
 */
export function learnTimeline(state: TopologyState, at: number): TopologyState {
  if (state.systemIdentifier === undefined) return state
  const seen = state.hosts.flatMap((host) => {
    const timeline = host.answer?.timeline
    const believed = host.sightings >= sightingsToBelieve && !isOverruled(state, host)
    return timeline !== undefined && believed && standing(state, host).type !== 'foreign' ? [timeline] : []
  })
  const highestTimeline = Math.max(state.highestTimeline ?? 0, ...seen)
  if (highestTimeline <= (state.highestTimeline ?? 0)) return state
  return { ...state, highestTimeline, highestTimelineAt: at }
}

/**
 * The authority may name a host of another identity, or of an older timeline. If it was asked after both were known, it has
 * decided between them, and that history is the truth.
 */
export function acceptHistory(state: TopologyState): TopologyState {
  const key = confirmedHost(state)
  const host = key === undefined ? undefined : hostRecord(state, key)
  if (host === undefined || !acceptsWrites(host.answer)) return state
  const askedAt = state.authority?.word?.at ?? -Infinity
  const { type } = standing(state, host)
  if (type === 'foreign') return host.since < askedAt ? forgetHistory(state) : state
  const isDecided = Math.max(host.since, state.highestTimelineAt) < askedAt
  return type === 'stale' && isDecided ? { ...state, highestTimeline: undefined } : state
}

/** Which other history ours is kept out by. */
export type Lockout = { readonly type: 'identity'; readonly by: string } | { readonly type: 'lower timeline' | 'rival' }

/**
 * The history that all who answer carry, if it is not ours; where an authority is asked it decides such things itself. A lower timeline is believed only while no host is out of reach,
 * and none shows the newer one: the true leader might be the one that does not answer. Or one that has left the list: who
 * lists hosts does not permit writes, nor by leaving hosts out.
 */
export function lockout(state: TopologyState): Lockout | undefined {
  if (state.generation === 0) return undefined
  const answering = state.hosts.filter((host) => host.answer !== undefined)
  const judged = answering.map((host) => ({ key: host.key, type: standing(state, host).type, answer: host.answer }))
  const identities = new Set(judged.map(({ answer }) => answer?.systemIdentifier))
  const [by] = identities
  if (by !== undefined && judged.every(({ type }) => type === 'foreign') && identities.size === 1) {
    return { type: 'identity', by }
  }
  if (judged.some(({ key, type }) => type === 'eligible' && state.rivals.includes(key))) return { type: 'rival' }
  const showsNewer = judged.some(
    ({ type, answer }) => type !== 'foreign' && (answer?.timeline ?? 0) >= (state.highestTimeline ?? Infinity),
  )
  const isUnseen = (state.unseenTimeline ?? -Infinity) >= (state.highestTimeline ?? Infinity)
  const onlyOlder = judged.some(({ type }) => type === 'stale') && !showsNewer && !isUnseen
  return onlyOlder && answering.length === state.hosts.length ? { type: 'lower timeline' } : undefined
}

/** That history is the truth from now on. */
export function believe(state: TopologyState, { type }: Lockout): TopologyState {
  switch (type) {
    case 'identity':
      return forgetHistory(state)
    case 'lower timeline':
      return { ...state, highestTimeline: undefined }
    case 'rival':
      return { ...state, rivals: noHosts }
    default:
      return type satisfies never
  }
}

const noHosts: readonly HostKey[] = Object.freeze([])

/**
 * Hosts of a split brain that were alive, and claimed the lead, when the leader answered a later question: there are two
 * histories of one number then. A rival is forgiven when it shows anything else: it has become a standby, or was promoted.
 * That it leaves the list shows nothing.
 */
export function mindRivals(state: TopologyState, splitBrain: readonly HostKey[]): readonly HostKey[] {
  const leader = state.leader && hostRecord(state, state.leader.key)
  const rivals = state.hosts.flatMap(({ key, answer, since }) => {
    if (key === leader?.key) return []
    const sameTimeline = answer?.inRecovery === false && answer.timeline === state.highestTimeline
    const isProven = leader !== undefined && splitBrain.includes(leader.key) && splitBrain.includes(key)
    const isNew = isProven && leader.at > since
    const isKnown = state.rivals.includes(key) && (answer === undefined || sameTimeline)
    return isNew || isKnown ? [key] : []
  })
  rivals.push(...state.rivals.filter((key) => hostRecord(state, key) === undefined))
  const unchanged = rivals.length === state.rivals.length && rivals.every((key, place) => key === state.rivals[place])
  return unchanged ? state.rivals : Object.freeze(rivals)
}
