import type { FollowOptions } from '../client/conninfo/follow-options'
import { hostRecord, leaderSuspected } from '../core/topology/state'
import type { Roster } from '../pool/roster'
import { now } from '../runtime/clock'
import { Discovering } from '../topology/discovering'
import type { LivingTopology } from '../topology/living-topology'
import type { Settings } from './settings'

/** What the list of a pool's hosts is kept for. */
export interface ListGround {
  readonly follow: FollowOptions
  readonly settings: Settings
  readonly topology: LivingTopology
  readonly roster: Roster
  /** After the list has become another one, or something else is said of the hosts on it. */
  relisted(): void
}

/** Keeps the list of a pool's hosts by what its sources say; undefined if it has none. */
export function keepList(ground: ListGround): { wake(): void; stop(): void } | undefined {
  const { follow, settings, topology, roster } = ground
  if (settings.discovery.length === 0) return undefined
  let listed: readonly string[] = follow.hosts.map(({ key }) => key)
  /** A leader that has left is followed still, and what is left on the last one may have to be cut. */
  const matters = (key: string): boolean =>
    hostRecord(topology.state, key) !== undefined || topology.state.lastLeader?.key === key
  return new Discovering(settings.discovery, {
    times: settings.times,
    seeds: follow.hosts,
    read: (entries) => follow.relist(entries, roster.hosts),
    leaderless: () => topology.state.leader === undefined || leaderSuspected(topology.state),
    listed(hosts) {
      // Before they are asked it is known where they are.
      roster.relist(hosts, matters)
      const keys = hosts.map(({ key }) => key)
      if (keys.length !== listed.length || keys.some((key, place) => key !== listed[place])) {
        listed = keys
        topology.dispatch({ type: 'hosts', at: now(), keys })
      }
      ground.relisted()
    },
  })
}
