import { unknownHost } from './host'
import type { HostKey, HostRecord } from './host'
import type { TopologyState } from './state'

/**
 * The list has changed. Hosts that stay keep what is known of them, new ones are unknown. A list is no reason to lose the
 * leader: one that is not on it any more is followed on, for as long as it leads.
 */
export function relist(state: TopologyState, keys: readonly HostKey[]): TopologyState {
  const { leader } = state
  const delisted = leader === undefined || keys.includes(leader.key) ? undefined : leader.key
  const wanted = new Set(delisted === undefined ? keys : [...keys, delisted])
  const known = new Map(state.hosts.map((host) => [host.key, host]))
  const hosts = Object.freeze([...wanted].map((key) => known.get(key) ?? unknownHost(key)))
  const mayBeAhead = state.hosts.some((host) => !wanted.has(host.key) && mayHaveNewest(state, host))
  return { ...state, hosts, delisted, ...(mayBeAhead && { unseenTimeline: state.highestTimeline }) }
}

/** A leader that is not on the list any more, and has lost the lead, leaves as the others did. */
export function letGo(state: TopologyState): TopologyState {
  const { delisted, leader, hosts } = state
  if (delisted === undefined || leader?.key === delisted) return state
  return relist(
    state,
    hosts.flatMap(({ key }) => (key === delisted ? [] : [key])),
  )
}

/** A host that shows the newest timeline, or nothing. */
function mayHaveNewest({ highestTimeline }: TopologyState, { answer }: HostRecord): boolean {
  return answer === undefined || (answer.timeline ?? -Infinity) >= (highestTimeline ?? Infinity)
}
