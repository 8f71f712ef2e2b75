import { isSameIncarnation } from './incarnation'
import type { Doubt, LookUp } from './incarnation'
import { aliveUntil, arrivalsOf, isContested, wasDeserted, reportsOf } from './evidence'
import type { Evidence } from './evidence'

/** What became of a COMMIT whose answer was lost. `reason` is for people. */
export interface Verdict {
  readonly outcome: 'committed' | 'aborted' | 'unknown'
  readonly reason: string
}

/** Not decided yet: to be asked again in a moment. */
export interface Undecided {
  readonly outcome: 'undecided'
  /** Our own session is still at work on it there: it can be ended. */
  readonly own: boolean
  readonly reason: string
}

/**
 * What became of a transaction, by what the confirmed leader answers and what the monitors saw. The questions are asked in
 * this order, and the first that fits decides. `aborted` is always the truth of this server's history; `committed` counts
 * only where that history is proved to be the one in which the transaction ran.
 */
export function judge(doubt: Doubt, lookUp: LookUp, evidence: Evidence): Verdict | Undecided {
  const { incarnation: was, witness } = doubt
  const { incarnation: is, status } = lookUp

  if (is.systemIdentifier !== was.systemIdentifier) return unknown('the leader belongs to another cluster now')
  // A pooler that has been switched may lend the old server still: of what came after it that one knows nothing.
  if (is.timeline !== undefined && is.timeline < was.timeline) {
    return { outcome: 'undecided', own: false, reason: 'who answered is on a timeline that history had left' }
  }
  if (status === undefined) return unknown('the server has forgotten transactions as old as this one')
  if (status === 'aborted') return { outcome: 'aborted', reason: 'the leader says that it was rolled back' }
  if (status === 'in the future') {
    return {
      outcome: 'aborted',
      reason: 'the leader has not reached its id yet: what was written is not in its history',
    }
  }

  // Its word is the truth.
  if (isSameIncarnation(was, is)) {
    if (status === 'committed') return { outcome: 'committed', reason: 'the same server says so' }
    return { outcome: 'undecided', own: true, reason: 'its session is still at work on it' }
  }
  if (is.replayLsn !== undefined && is.replayLsn < witness.lsn) {
    return {
      outcome: 'aborted',
      reason: 'the leader recovered to a point before it: what was written after that is gone',
    }
  }
  // Whoever has the id now: a session of somebody else's, or one of ours that the recovery has not dismissed yet.
  if (status === 'in progress') return { outcome: 'undecided', own: false, reason: 'its id is in use' }

  const proof =
    isCleanRestart(doubt, lookUp) ?? wasReplicated(doubt, lookUp, evidence) ?? wasRecovered(doubt, lookUp, evidence)
  if (typeof proof === 'string') return { outcome: 'committed', reason: proof }
  return unknown(proof?.missing ?? 'more happened between than was seen')
}

interface Missing {
  readonly missing: string
}

function unknown(reason: string): Verdict {
  return { outcome: 'unknown', reason }
}

/** A crash recovery would have renewed the statistics, a promotion the timeline. */
function isCleanRestart(
  { host, incarnation: was, direct }: Doubt,
  { host: at, incarnation: is }: LookUp,
): string | undefined {
  const clean =
    direct &&
    at === host &&
    is.timeline === was.timeline &&
    is.replayLsn === undefined &&
    was.statsReset !== undefined &&
    is.statsReset === was.statsReset
  return clean ? 'the same server says so after a clean restart' : undefined
}

/**
 * The leader had it already when it was a standby, and our server was alive, or nothing ran in its place. What a standby
 * says of its timeline may be old: had it followed another one by then, its own would not be the very next.
 */
function wasReplicated(doubt: Doubt, { host, incarnation: is }: LookUp, evidence: Evidence): string | undefined {
  const { incarnation: was, witness } = doubt
  if (is.postmasterStartTime === undefined || is.timeline !== was.timeline + 1) return undefined
  if (isContested(evidence, was.systemIdentifier, was.timeline)) return undefined
  const had = reportsOf(evidence, host).some(
    (report) =>
      report.timeline === was.timeline &&
      report.lsn >= witness.lsn &&
      report.postmasterStartTime === is.postmasterStartTime &&
      report.sentAt >= doubt.witnessedAt &&
      wasOnly(doubt, report.receivedAt, evidence),
  )
  return had ? 'the leader had it when it was a standby' : undefined
}

/** Whether until `at` nothing but the very incarnation that the transaction ran on can have written to its timeline. */
function wasOnly(doubt: Doubt, at: number, evidence: Evidence): boolean {
  const { host, incarnation, witnessedAt } = doubt
  const aliveAt = Math.max(witnessedAt, aliveUntil(evidence, host, incarnation))
  return at <= aliveAt || (sawTheEnd(doubt) && wasDeserted(evidence, host, doubt.lostAt, at))
}

/** It was seen at once that the server had gone, and it is the server that stands behind that address. */
function sawTheEnd({ direct, closedByPeer, stalled }: Doubt): boolean {
  return direct && closedByPeer && !stalled
}

/** The history went over exactly one cut, behind the witness. */
function wasRecovered(doubt: Doubt, lookUp: LookUp, evidence: Evidence): string | Missing | undefined {
  const { incarnation: was } = doubt
  const { incarnation: is } = lookUp
  if (isContested(evidence, was.systemIdentifier, was.timeline))
    return { missing: 'two servers took writes on its timeline' }
  if (!doubt.direct) return { missing: 'something stands between us and the server that it ran on' }
  if (!doubt.closedByPeer) return { missing: 'its connection was given up, so it may have gone on' }
  if (doubt.stalled) return { missing: 'this process was not looking when its connection ended' }
  const arrival = arrivalsOf(evidence, lookUp.host).find(
    (seen) => is.replayLsn !== undefined && isSameIncarnation(seen, is),
  )
  if (arrival === undefined || arrival.at < doubt.lostAt)
    return { missing: 'nobody saw the leader come up as what it is now' }
  const isRestart = lookUp.host === doubt.host && arrival.timeline === was.timeline
  if (!isRestart && arrival.parentTimeline !== was.timeline) {
    return { missing: 'the leader was not seen to be promoted from the timeline that it ran on' }
  }
  // A postmaster takes connections one after another: had another server come up meanwhile, it would have taken that question.
  if (!wasDeserted(evidence, doubt.host, doubt.lostAt, isRestart ? arrival.askedAt : arrival.at)) {
    return { missing: 'its server may have come back for a moment before the leader took over' }
  }
  return isRestart ? 'its server recovered to a point behind it' : 'the leader was promoted at a point behind it'
}
