import { standing } from './candidates'
import { callerFault } from './explain'
import { acceptsWrites } from './host'
import type { HostKey } from './host'
import { confirmedHost } from './authority'
import { doubtedAt, hostRecord, leaderSuspected } from './state'
import type { Leader, TopologyState } from './state'

/** What the shell has to do after a change; in this order. */
export type TopologyEffect =
  /** There is no leader any more, or it is in doubt: hold callers, ask every host at once. */
  | { readonly type: 'leader-lost'; readonly leader: Leader; readonly at: number; readonly suspected: boolean }
  /** It leads no more by its own word: no client of it is handed out again; what runs on one gets its own answer. */
  | { readonly type: 'retire'; readonly host: HostKey }
  /**
   * Another server leads, or another incarnation behind the same name, or history has gone on without this one, or the
   * authority does not confirm it any more: what is left of the sessions there is cut, up to this generation.
   */
  | { readonly type: 'cut'; readonly host: HostKey; readonly generation: number }
  /** There is a leader to be used: the same one, cleared of doubt, or another. */
  | {
      readonly type: 'leader-ready'
      readonly leader: Leader
      readonly from: Leader | undefined
      readonly changed: boolean
    }
  /** A rival of the leader, or the first sign of a newer timeline, needs a second look: ask this host at once. */
  | { readonly type: 'ask'; readonly host: HostKey }
  /** The leader is lost or in doubt, or somebody claims the lead whom the authority has not confirmed: it is asked at once. */
  | { readonly type: 'ask-authority' }
  /** Waiting cannot help: nobody answers well, and this host refuses the caller. */
  | { readonly type: 'caller-fault'; readonly host: HostKey }
  | { readonly type: 'split-brain'; readonly hosts: readonly HostKey[] }
  /** It is on the list now: ask it. */
  | { readonly type: 'joined'; readonly host: HostKey }
  /** It is on the list no more: ask it nothing, and let its sessions go as soon as nobody uses them. */
  | { readonly type: 'left'; readonly host: HostKey }
  /** Another cluster, an older timeline or a rival was all that answered for so long, or was named by the authority, that it counts as ours now. */
  | { readonly type: 'history-replaced'; readonly identity: string | undefined; readonly timeline: number | undefined }
  /** Something that the snapshot shows has changed. */
  | { readonly type: 'publish' }

/** Compares two states and says what follows. Pure; the living topology performs it. */
export function planEffects(before: TopologyState, after: TopologyState): readonly TopologyEffect[] {
  if (before === after) return []
  const effects: TopologyEffect[] = []
  const usedBefore = before.leader !== undefined && !leaderSuspected(before)
  const suspected = leaderSuspected(after)
  const usable = after.leader !== undefined && !suspected

  if (before.leader !== undefined && !usable && usedBefore) {
    const at = after.leaderlessSince ?? doubtedAt(after) ?? -Infinity
    effects.push({ type: 'leader-lost', leader: before.leader, at, suspected })
  }
  if (before.leader !== undefined && after.leader === undefined) {
    const { key: host } = before.leader
    const record = hostRecord(after, host)
    const isStale = record !== undefined && standing(after, record).type === 'stale'
    const isDisowned = after.authority !== undefined && confirmedHost(after) !== host
    if (isStale || isDisowned) effects.push({ type: 'cut', host, generation: after.generation })
    else if (record?.answer !== undefined) effects.push({ type: 'retire', host })
  }
  const from = before.lastLeader
  const changed = after.generation !== before.generation
  if (after.leader !== undefined && changed && from !== undefined) {
    effects.push({ type: 'cut', host: from.key, generation: before.generation })
  }
  if (after.leader !== undefined && usable && (!usedBefore || changed)) {
    effects.push({ type: 'leader-ready', leader: after.leader, from, changed })
  }
  for (const host of after.hosts) {
    const isAhead =
      (host.answer?.timeline ?? 0) > (after.highestTimeline ?? Infinity) && standing(after, host).type !== 'foreign'
    const isFirstLook = host.confirmations === 1 || (isAhead && host.sightings === 1)
    const isRival = after.leader !== undefined && host.key !== after.leader.key && isFirstLook
    if (isRival && !before.hosts.includes(host)) effects.push({ type: 'ask', host: host.key })
  }
  if (after.authority !== undefined && ((usedBefore && !usable) || someoneClaims(before, after))) {
    effects.push({ type: 'ask-authority' })
  }
  if (after.splitBrain.length > 0 && !sameHosts(before.splitBrain, after.splitBrain)) {
    effects.push({ type: 'split-brain', hosts: after.splitBrain })
  }
  if (after.leader !== undefined && replacesHistory(before, after)) {
    const { systemIdentifier: identity, highestTimeline: timeline } = after
    effects.push({ type: 'history-replaced', identity, timeline })
  }
  effects.push(...moves(before, after))
  const fault = callerFault(after)
  if (fault !== undefined) effects.push({ type: 'caller-fault', host: fault })
  if (differsVisibly(before, after)) effects.push({ type: 'publish' })
  return effects
}

function moves(before: TopologyState, after: TopologyState): readonly TopologyEffect[] {
  const isSame = before.hosts.length === after.hosts.length
  if (isSame && after.hosts.every(({ key }, place) => key === before.hosts[place]?.key)) return []
  const left = before.hosts.filter(({ key }) => hostRecord(after, key) === undefined)
  const joined = after.hosts.filter(({ key }) => hostRecord(before, key) === undefined)
  return [
    ...left.map(({ key }) => ({ type: 'left', host: key }) as const),
    ...joined.map(({ key }) => ({ type: 'joined', host: key }) as const),
  ]
}

function someoneClaims(before: TopologyState, after: TopologyState): boolean {
  return after.hosts.some(
    (host) =>
      acceptsWrites(host.answer) &&
      host.key !== confirmedHost(after) &&
      host.since !== hostRecord(before, host.key)?.since,
  )
}

function replacesHistory(before: TopologyState, after: TopologyState): boolean {
  return (
    (before.systemIdentifier !== undefined && before.systemIdentifier !== after.systemIdentifier) ||
    (before.highestTimeline !== undefined && (after.highestTimeline ?? Infinity) < before.highestTimeline) ||
    before.rivals.some((key) => key === after.leader?.key)
  )
}

function sameHosts(a: readonly HostKey[], b: readonly HostKey[]): boolean {
  return a.length === b.length && a.every((key, index) => key === b[index])
}

/** Positions and round trips change with every probe; roles, timelines and reachability are what listeners wait for. */
function differsVisibly(before: TopologyState, after: TopologyState): boolean {
  if (before.leader !== after.leader || before.hosts.length !== after.hosts.length) return true
  if (leaderSuspected(before) !== leaderSuspected(after)) return true
  if (!sameHosts(before.splitBrain, after.splitBrain)) return true
  return after.hosts.some((host, index) => {
    const old = before.hosts[index]
    return (
      old?.key !== host.key ||
      (old.suspectedAt === undefined) !== (host.suspectedAt === undefined) ||
      standing(before, old).type !== standing(after, host).type ||
      old.failure?.reason !== host.failure?.reason ||
      old.answer?.inRecovery !== host.answer?.inRecovery ||
      old.answer?.defaultTransactionReadOnly !== host.answer?.defaultTransactionReadOnly ||
      old.answer?.timeline !== host.answer?.timeline ||
      old.answer?.systemIdentifier !== host.answer?.systemIdentifier
    )
  })
}
