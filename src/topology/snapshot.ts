import { formatLsn } from '../core/outcome/lsn'
import { standing } from '../core/topology/candidates'
import type { HostRecord } from '../core/topology/host'
import { explain } from '../core/topology/explain'
import { hostRecord, leaderSuspected } from '../core/topology/state'
import type { TopologyState } from '../core/topology/state'

/** What one host is, as far as is known. */
export type HostRole = 'leader' | 'standby' | 'read-only' | 'stale' | 'foreign' | 'primary' | 'unknown'

/** One host of a {@link TopologySnapshot}. */
export interface HostSnapshot {
  /** Its entry in the host list, `host:port`. */
  readonly host: string
  /**
   * `leader`: the primary this pool follows. `standby`: in recovery. `read-only`: a primary with
   * `default_transaction_read_only`. `primary`: claims to lead and is not confirmed. `stale`: a primary on an older
   * timeline. `foreign`: of another cluster. `unknown`: does not answer, or has not yet been asked.
   */
  readonly role: HostRole
  /** Why it is not the leader, in words; undefined for the leader. */
  readonly reason: string | undefined
  /** Of a standby: the one it receives; undefined where it cannot be read. */
  readonly timeline: number | undefined
  /** `system_identifier` of its cluster. */
  readonly systemIdentifier: string | undefined
  /** Current (leader) or replayed (standby) WAL position, as PostgreSQL prints it: `16/B374D848`. */
  readonly lsn: string | undefined
  /** How many bytes of WAL it is behind the leader; undefined where either position is unknown. */
  readonly lagBytes: number | undefined
  /** How long its last answer took, in milliseconds from the question; the first one includes connecting. */
  readonly roundTripMillis: number | undefined
}

/** Frozen picture of what a pool believes of its cluster; `pool.topology`. */
export interface TopologySnapshot {
  /** The host that is followed; undefined while there is none. */
  readonly leader: string | undefined
  /** Counts leader changes. 0: no leader yet. */
  readonly generation: number
  /** The leader's timeline. */
  readonly timeline: number | undefined
  /** Hosts that claim the lead on one and the same timeline; empty while all is well. */
  readonly splitBrain: readonly string[]
  /** In the order of the host list. */
  readonly hosts: readonly HostSnapshot[]
  /**
   * Forgets identity, timelines and rivals learned so far, so that the next leader sets them anew: for upgrades, blue/green
   * changes and restores, which change the one or lower the other. Without it another history is believed when it has been
   * all that answers for `failoverTimeoutMillis`. An `authority` still has to confirm whoever leads then.
   */
  reset(): void
}

/** Makes the public picture of a state. */
export function takeSnapshot(state: TopologyState, reset: () => void): TopologySnapshot {
  const reasons = new Map(explain(state, 'read-write').map(({ host, reason }) => [host, reason]))
  const leader = leaderSuspected(state) ? undefined : state.leader
  const leaderLsn = leader && hostRecord(state, leader.key)?.answer?.lsn
  const snapshot = {
    leader: leader?.key,
    generation: state.generation,
    timeline: leader?.timeline,
    splitBrain: state.splitBrain,
    hosts: Object.freeze(
      state.hosts.map((host): HostSnapshot => {
        const { answer } = host
        const behind =
          leaderLsn === undefined || answer?.lsn === undefined || standing(state, host).type === 'foreign'
            ? undefined
            : Math.max(0, Number(leaderLsn - answer.lsn))
        return Object.freeze({
          host: host.key,
          role: roleOf(state, host, leader?.key),
          reason: reasons.get(host.key),
          timeline: answer?.timeline,
          systemIdentifier: answer?.systemIdentifier,
          lsn: answer?.lsn === undefined ? undefined : formatLsn(answer.lsn),
          lagBytes: behind,
          roundTripMillis: answer?.roundTripMillis,
        })
      }),
    ),
  }
  // Not enumerable: a snapshot prints, compares and serialises as the data it is.
  return Object.freeze(
    Object.defineProperty(snapshot, 'reset', { value: reset }) as typeof snapshot & { reset(): void },
  )
}

function roleOf(state: TopologyState, host: HostRecord, leader: string | undefined): HostRole {
  if (host.suspectedAt !== undefined) return 'unknown'
  const { type } = standing(state, host)
  return type === 'eligible' ? (host.key === leader ? 'leader' : 'primary') : type
}
