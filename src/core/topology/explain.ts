import { objection } from './authority'
import { standing } from './candidates'
import type { HostKey } from './host'
import type { TopologyState } from './state'
import { targets } from './targets'
import type { TargetSessionAttrs } from '../selection/target-session-attrs'

/** For every host, why a session with these attributes does not go there; hosts that would do are left out. */
export function explain(
  state: TopologyState,
  attrs: TargetSessionAttrs,
): readonly { readonly host: HostKey; readonly reason: string }[] {
  const suitable = new Set(targets(state, attrs))
  return state.hosts
    .filter((host) => !suitable.has(host.key))
    .map((host) => {
      const verdict = standing(state, host)
      const objected = verdict.type === 'eligible' ? objection(state, host.key) : undefined
      if (objected !== undefined) return { host: host.key, reason: objected }
      if (host.suspectedAt !== undefined && host.answer !== undefined) {
        return { host: host.key, reason: 'lost a connection and has not answered since' }
      }
      if (state.splitBrain.includes(host.key)) {
        const reason = `claims the lead on the same timeline as ${state.splitBrain.filter((key) => key !== host.key).join(', ')}`
        return { host: host.key, reason }
      }
      if (state.rivals.includes(host.key)) {
        const reason = `claimed the lead on the timeline of ${state.lastLeader?.key ?? 'the last leader'}, and does not have its history`
        return { host: host.key, reason }
      }
      if (verdict.type === 'eligible') {
        const isLeader = state.leader?.key === host.key
        return {
          host: host.key,
          reason: isLeader ? 'is the leader' : 'is a primary that is not confirmed as the leader',
        }
      }
      return { host: host.key, reason: verdict.reason }
    })
}

/**
 * The failure that concerns the caller and not the hosts: nobody answers well, and at least one host refused our
 * credentials or database. Waiting longer would not help; `undefined` while it might.
 */
export function callerFault(state: TopologyState): HostKey | undefined {
  const spoke = state.hosts.every((host) => host.answer !== undefined || host.failure !== undefined)
  if (!spoke || state.hosts.some((host) => host.answer !== undefined)) return undefined
  return state.hosts.find((host) => host.failure?.aboutCaller === true)?.key
}
