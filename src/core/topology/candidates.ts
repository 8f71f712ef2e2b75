import { confirmedHost, isOverruled } from './authority'
import type { HostRecord, Observation } from './host'
import { acceptsWrites, sameServer } from './host'
import { hostRecord } from './state'
import type { TopologyState } from './state'

/** How a host stands as a leader, and in words why it is not one. */
export type Standing =
  | { readonly type: 'eligible' }
  | { readonly type: 'unknown'; readonly reason: string }
  | { readonly type: 'standby' | 'read-only'; readonly reason: string }
  | { readonly type: 'foreign' | 'stale'; readonly reason: string }

const eligible: Standing = Object.freeze({ type: 'eligible' })

/**
 * Which identity is ours when no leader has settled it yet: that of the host which an authority has named; that of most
 * answering hosts, then of the first on the list, which is the user's own word.
 */
export function presumedIdentity(state: TopologyState): string | undefined {
  if (state.systemIdentifier !== undefined) return state.systemIdentifier
  const confirmed = state.authority?.word?.host
  const named = confirmed === undefined ? undefined : hostRecord(state, confirmed)?.answer?.systemIdentifier
  if (named !== undefined) return named
  const votes = new Map<string, number>()
  for (const { answer } of state.hosts) {
    const identity = answer?.systemIdentifier
    if (identity !== undefined) votes.set(identity, (votes.get(identity) ?? 0) + 1)
  }
  let winner: string | undefined
  for (const [identity, count] of votes) {
    if (winner === undefined || count > (votes.get(winner) ?? 0)) winner = identity
  }
  return winner
}

/** Judges one host by itself: may it lead, as far as its own answer goes? */
export function standing(state: TopologyState, host: HostRecord): Standing {
  const { answer } = host
  if (answer === undefined) return { type: 'unknown', reason: host.failure?.reason ?? 'has not answered yet' }
  const identity = presumedIdentity(state)
  if (identity !== undefined && answer.systemIdentifier !== undefined && answer.systemIdentifier !== identity) {
    const reason = `belongs to another cluster: its system identifier is ${answer.systemIdentifier}, ours is ${identity}`
    return { type: 'foreign', reason }
  }
  if (answer.inRecovery) return { type: 'standby', reason: 'is a standby (in recovery)' }
  const { highestTimeline } = state
  if (highestTimeline !== undefined && answer.timeline !== undefined && answer.timeline < highestTimeline) {
    const reason = `is a stale primary: its timeline is ${answer.timeline}, the cluster's is ${highestTimeline}`
    return { type: 'stale', reason }
  }
  if (!acceptsWrites(answer)) return { type: 'read-only', reason: 'is read-only (default_transaction_read_only is on)' }
  return eligible
}

export interface Contender {
  readonly host: HostRecord
  readonly answer: Observation
}

/**
 * Those who claim the lead on the highest timeline that any host of ours shows, one entry a server: the same server under a
 * second name is left out, the name that leads already (or that the authority knows) or stands first on the list being
 * kept. A timeline that cannot be read counts as the highest, since the rule that would need it is skipped. Whom the
 * authority has overruled does not contend.
 */
export function contenders(state: TopologyState): readonly Contender[] {
  const ours = state.hosts.flatMap((host) => {
    const { answer } = host
    const { type } = standing(state, host)
    return answer === undefined || type === 'foreign' || isOverruled(state, host) ? [] : [{ host, answer, type }]
  })
  const top = Math.max(...ours.map(({ answer }) => answer.timeline ?? -Infinity))
  const onTop = ours.filter(
    ({ type, answer }) => type === 'eligible' && (answer.timeline === undefined || answer.timeline === top),
  )
  const preferred = state.authority === undefined ? state.leader?.key : confirmedHost(state)
  const rank = ({ host }: Contender): number => (host.key === preferred ? 0 : 1)
  const leaderFirst = [...onTop].sort((a, b) => rank(a) - rank(b))
  const servers: Contender[] = []
  for (const contender of leaderFirst) {
    if (!servers.some((known) => sameServer(known.answer, contender.answer))) servers.push(contender)
  }
  return servers
}
