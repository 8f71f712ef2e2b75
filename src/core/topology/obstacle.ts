import { presumedIdentity, standing } from './candidates'
import { acceptsWrites } from './host'
import type { HostKey } from './host'
import type { TopologyState } from './state'

/** A primary that answers and is not to be written to. */
export type Obstacle =
  | { readonly type: 'split-brain'; readonly hosts: readonly HostKey[] }
  | {
      readonly type: 'stale'
      readonly host: HostKey
      readonly timeline: number
      readonly clusterTimeline: number
    }
  | {
      readonly type: 'foreign'
      readonly host: HostKey
      readonly systemIdentifier: string
      readonly clusterIdentifier: string
    }

/**
 * While nobody leads: the primary that keeps callers waiting although it would take their writes. Of several the one that
 * is nearest to being ours: a split brain, then a stale primary, then one of another cluster.
 */
export function obstacle(state: TopologyState): Obstacle | undefined {
  if (state.leader !== undefined) return undefined
  const claimants = state.splitBrain.length > 0 ? state.splitBrain : lastRivals(state)
  if (claimants.length > 0) return { type: 'split-brain', hosts: claimants }
  const primaries = state.hosts.flatMap((host) => {
    const { key, answer } = host
    return answer?.inRecovery === false ? [{ host: key, answer, type: standing(state, host).type }] : []
  })
  const { highestTimeline } = state
  for (const { host, answer, type } of primaries) {
    if (type !== 'stale' || answer.timeline === undefined || highestTimeline === undefined) continue
    return { type, host, timeline: answer.timeline, clusterTimeline: highestTimeline }
  }
  for (const { host, answer, type } of primaries) {
    if (type !== 'foreign' || answer.systemIdentifier === undefined) continue
    const clusterIdentifier = presumedIdentity(state) ?? 'unknown'
    return { type, host, systemIdentifier: answer.systemIdentifier, clusterIdentifier }
  }
  return undefined
}

/** The last leader does not answer any more, and those who contended with it then do. */
function lastRivals(state: TopologyState): readonly HostKey[] {
  const rivals = state.hosts.filter(({ key, answer }) => state.rivals.includes(key) && acceptsWrites(answer))
  const last = state.lastLeader?.key
  return rivals.length === 0 || last === undefined ? [] : [last, ...rivals.map(({ key }) => key)]
}
