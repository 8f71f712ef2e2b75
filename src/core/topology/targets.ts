import { standing } from './candidates'
import type { HostKey, HostRecord } from './host'
import { leaderSuspected } from './state'
import type { TopologyState } from './state'
import type { TargetSessionAttrs } from '../selection/target-session-attrs'
import { mismatch } from '../selection/target-session-attrs'

/**
 * The hosts that a session with these `target_session_attrs` may go to now, in the order of the list. A primary is
 * only ever the leader; while it is lost or in doubt it is not a target.
 */
export function targets(state: TopologyState, attrs: TargetSessionAttrs): readonly HostKey[] {
  const usable = state.hosts.filter((host) => isUsable(state, host))
  switch (attrs) {
    case 'prefer-standby': {
      const standbys = usable.filter((host) => fits(host, 'standby'))
      return keys(standbys.length > 0 ? standbys : usable)
    }
    case 'any':
    case 'read-write':
    case 'read-only':
    case 'primary':
    case 'standby':
      return keys(usable.filter((host) => fits(host, attrs)))
    default:
      return attrs satisfies never
  }
}

function isUsable(state: TopologyState, host: HostRecord): boolean {
  if (host.answer === undefined || host.suspectedAt !== undefined) return false
  const { type } = standing(state, host)
  if (type === 'eligible') return state.leader?.key === host.key && !leaderSuspected(state)
  return type === 'standby' || type === 'read-only'
}

function fits({ answer }: HostRecord, attrs: TargetSessionAttrs): boolean {
  return answer !== undefined && mismatch(attrs, { ...answer, inHotStandby: answer.inRecovery }) === undefined
}

function keys(hosts: readonly HostRecord[]): readonly HostKey[] {
  return hosts.map((host) => host.key)
}
