import type { HostKey, Observation } from '../topology/host'
import { isSameIncarnation } from './incarnation'
import type { Incarnation } from './incarnation'

/** Between two refusals so far apart a server may have started, worked and died unseen. */
export const longestGapMillis = 100

/** So many entries of each kind are kept of a host; a claim on a timeline is kept for ever, there are few. */
const mostReports = 64
const mostSpells = 8
const mostArrivals = 8
const mostVisits = 8

/** What a monitor asks beside what makes up an observation, for the sake of the outcome. */
export interface Recovery {
  /** `pg_last_wal_replay_lsn()`: how far a standby has replayed, or where the recovery of a primary ended. */
  readonly replayLsn: bigint | undefined
  /** Of a standby `pg_control_recovery().min_recovery_end_timeline`, which may be that of a while ago. */
  readonly timeline: number | undefined
  /** Counts the monitor's sessions: what is told over one and the same happened to one and the same process. */
  readonly session: number
}

/** A standby told how far it had replayed. */
export interface StandbyReport {
  readonly sentAt: number
  readonly receivedAt: number
  readonly timeline: number | undefined
  readonly lsn: bigint
  readonly postmasterStartTime: string | undefined
}

/** A host refused every connection: nothing ran there, as far as one can see at this rhythm. */
export interface RefusalSpell {
  readonly since: number
  readonly until: number
}

/** A host was seen as a primary for the first time since something else was seen there. */
export interface Arrival {
  /** When this was known, and when the question was sent that it answered. */
  readonly at: number
  readonly askedAt: number
  /** When a question was last sent that this very incarnation answered. */
  readonly aliveAt: number
  readonly postmasterStartTime: string | undefined
  readonly timeline: number | undefined
  readonly replayLsn: bigint | undefined
  /**
   * Seen to be promoted, over a session that was open already when it was a standby: the timeline it followed until then,
   * where that is certain.
   */
  readonly parentTimeline: number | undefined
}

interface HostEvidence {
  readonly reports: readonly StandbyReport[]
  readonly spells: readonly RefusalSpell[]
  /** The last spell goes on; in it nobody was listening. */
  readonly refuses: boolean
  readonly deserted: boolean
  /** When somebody let us in, and was gone again, where nobody had been listening before: a server between two others. */
  readonly visits: readonly number[]
  readonly arrivals: readonly Arrival[]
  readonly last: { readonly answer: Observation; readonly recovery: Recovery } | undefined
}

/** A server that was seen as primary on a timeline, under all the names and starts it was seen with. */
interface Claimant {
  readonly hosts: ReadonlySet<HostKey>
  readonly starts: ReadonlySet<string>
}

/** What the monitors have seen that may decide what became of a COMMIT. Frozen; each report makes the next one. */
export interface Evidence {
  readonly hosts: ReadonlyMap<HostKey, HostEvidence>
  /** By system identifier and timeline. */
  readonly claims: ReadonlyMap<string, readonly Claimant[]>
}

export const noEvidence: Evidence = Object.freeze({ hosts: new Map(), claims: new Map() })

const nothingSeen: HostEvidence = {
  reports: [],
  spells: [],
  refuses: false,
  deserted: false,
  visits: [],
  arrivals: [],
  last: undefined,
}

/** One report of a monitor. */
export type Report = Answer | Refusal | OtherFailure

interface Answer {
  readonly type: 'answer'
  readonly sentAt: number
  readonly receivedAt: number
  readonly answer: Observation
  readonly recovery: Recovery
}

/** Nobody listens there, or a postmaster that lets nobody in (57P03). */
interface Refusal {
  readonly type: 'refused'
  readonly by: 'nobody' | 'postmaster'
  readonly sentAt: number
  readonly receivedAt: number
}

/** It did not answer, or ended the connection. */
interface OtherFailure {
  readonly type: 'failed'
  readonly receivedAt: number
}

/** What is known after one more report. */
export function addReport(evidence: Evidence, host: HostKey, report: Report): Evidence {
  const before = evidence.hosts.get(host) ?? nothingSeen
  const after = heard(before, report)
  const hosts = after === before ? evidence.hosts : new Map(evidence.hosts).set(host, after)
  const claims = report.type === 'answer' ? claim(evidence.claims, host, report.answer) : evidence.claims
  return hosts === evidence.hosts && claims === evidence.claims ? evidence : Object.freeze({ hosts, claims })
}

function heard(known: HostEvidence, report: Report): HostEvidence {
  switch (report.type) {
    case 'answer':
      return { ...answered(known, report), refuses: false, deserted: false }
    case 'refused':
      return refused(known, report)
    case 'failed': {
      // The server that is stopping may do this as well, as long as it is there.
      const visits = known.deserted ? [...known.visits, report.receivedAt].slice(-mostVisits) : known.visits
      return { ...known, visits, last: undefined }
    }
    default:
      return report satisfies never
  }
}

function refused(known: HostEvidence, { by, sentAt, receivedAt }: Refusal): HostEvidence {
  const spell = known.spells.at(-1)
  const goesOn = spell !== undefined && known.refuses && sentAt - spell.until <= longestGapMillis
  const next = { since: goesOn ? spell.since : sentAt, until: receivedAt }
  const spells = [...(goesOn ? known.spells.slice(0, -1) : known.spells), next].slice(-mostSpells)
  return { ...known, spells, refuses: true, deserted: known.deserted || by === 'nobody', last: undefined }
}

function answered(known: HostEvidence, report: Answer): HostEvidence {
  const { answer, recovery } = report
  const last = { answer, recovery }
  if (answer.inRecovery) return { ...known, reports: addStandby(known.reports, report), last }
  const life = {
    postmasterStartTime: answer.postmasterStartTime,
    timeline: answer.timeline,
    replayLsn: recovery.replayLsn,
  }
  const before = known.last
  const latest = known.arrivals.at(-1)
  // Over whatever session: a primary that was seen last is the one that arrived last.
  if (latest !== undefined && before?.answer.inRecovery === false && isSameIncarnation(latest, life)) {
    return { ...known, arrivals: [...known.arrivals.slice(0, -1), { ...latest, aliveAt: report.sentAt }] }
  }
  // Behind a pooler another server may have answered.
  const isIt = before?.answer.postmasterStartTime === answer.postmasterStartTime
  const isPromoted = isIt && before?.recovery.session === recovery.session && before.answer.inRecovery
  const arrival: Arrival = {
    at: report.receivedAt,
    askedAt: report.sentAt,
    aliveAt: report.sentAt,
    ...life,
    parentTimeline: isPromoted ? parentOf(before, answer) : undefined,
  }
  return { ...known, arrivals: [...known.arrivals, arrival].slice(-mostArrivals), last }
}

type Last = NonNullable<HostEvidence['last']>

/** Of reports that say the same the first is the one that proves most; a bare sign of life repeats the last. */
function addStandby(reports: readonly StandbyReport[], report: Answer): readonly StandbyReport[] {
  const { sentAt, receivedAt, answer, recovery } = report
  const { postmasterStartTime } = answer
  const { replayLsn: lsn } = recovery
  const timeline = answer.timeline ?? recovery.timeline
  const latest = reports.at(-1)
  if (lsn === undefined) return reports
  const isSame =
    latest?.lsn === lsn && latest.timeline === timeline && latest.postmasterStartTime === postmasterStartTime
  return isSame ? reports : [...reports, { sentAt, receivedAt, timeline, lsn, postmasterStartTime }].slice(-mostReports)
}

/**
 * Whom a standby followed until it was promoted. What it last said may be old (a restart point ago) or have been
 * overtaken (by way of an archive): it counts only where the new timeline is the very next one.
 */
function parentOf({ answer, recovery }: Last, primary: Observation): number | undefined {
  const told = answer.timeline ?? recovery.timeline
  return told !== undefined && primary.timeline === told + 1 ? told : undefined
}

/** Two servers that were both seen as primary on one timeline: what lies on it then is anybody's. */
function claim(claims: Evidence['claims'], host: HostKey, answer: Observation): Evidence['claims'] {
  const { systemIdentifier, timeline, postmasterStartTime: start, inRecovery } = answer
  if (inRecovery || systemIdentifier === undefined || timeline === undefined || start === undefined) return claims
  const history = historyOf(systemIdentifier, timeline)
  const known = claims.get(history) ?? []
  const isIt = ({ hosts, starts }: Claimant): boolean => hosts.has(host) || starts.has(start)
  const mine = known.filter(isIt)
  if (mine.length === 1 && mine[0]?.hosts.has(host) === true && mine[0].starts.has(start)) return claims
  const merged = {
    hosts: new Set([host, ...mine.flatMap(({ hosts }) => [...hosts])]),
    starts: new Set([start, ...mine.flatMap(({ starts }) => [...starts])]),
  }
  return new Map(claims).set(history, [...known.filter((other) => !isIt(other)), merged])
}

function historyOf(systemIdentifier: string, timeline: number): string {
  return `${systemIdentifier}/${timeline}`
}

/** Whether more than one server was seen as primary on this timeline of a cluster. */
export function isContested(evidence: Evidence, systemIdentifier: string, timeline: number): boolean {
  return (evidence.claims.get(historyOf(systemIdentifier, timeline))?.length ?? 0) > 1
}

/**
 * Whether no other server process was primary on a host from one moment to another: every connection was refused, each
 * refusal was seen soon enough after the one before, and nobody answered in between.
 */
export function wasDeserted(evidence: Evidence, host: HostKey, from: number, to: number): boolean {
  const { spells, arrivals, visits } = evidence.hosts.get(host) ?? nothingSeen
  if (arrivals.some(({ at }) => at >= from && at < to) || visits.some((at) => at >= from && at < to)) return false
  if (to - from <= longestGapMillis) return true
  return spells.some(({ since, until }) => since - from <= longestGapMillis && to - until <= longestGapMillis)
}

/** When an incarnation last answered its monitor. */
export function aliveUntil(evidence: Evidence, host: HostKey, incarnation: Incarnation): number {
  const seen = arrivalsOf(evidence, host).filter((arrival) => isSameIncarnation(arrival, incarnation))
  return Math.max(-Infinity, ...seen.map(({ aliveAt }) => aliveAt))
}

/** What is known of one host; the newest last. */
export function reportsOf(evidence: Evidence, host: HostKey): readonly StandbyReport[] {
  return evidence.hosts.get(host)?.reports ?? nothingSeen.reports
}

/** What is known of one host; the newest last. */
export function arrivalsOf(evidence: Evidence, host: HostKey): readonly Arrival[] {
  return evidence.hosts.get(host)?.arrivals ?? nothingSeen.arrivals
}
