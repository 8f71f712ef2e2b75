/** The name of one host of the list, `host:port`; the key of every map of hosts. */
export type HostKey = string

/**
 * What one host answered to one probe. A column that this host does not let us read (a pooler, a fork, a missing
 * right) is `undefined`: a rule that needs it is then skipped, never guessed.
 */
export interface Observation {
  readonly inRecovery: boolean
  readonly defaultTransactionReadOnly: boolean
  /** `pg_control_system().system_identifier`: set by initdb, shared by all members of one cluster. */
  readonly systemIdentifier: string | undefined
  /** Of a primary: from the name of its current WAL file. Of a standby: what its WAL receiver follows, where readable. */
  readonly timeline: number | undefined
  readonly postmasterStartTime: string | undefined
  /** Current write position of a primary, replay position of a standby; bytes. */
  readonly lsn: bigint | undefined
  readonly roundTripMillis: number
}

/** Why a host did not answer. */
export interface Failure {
  readonly reason: string
  /** It is not the host that is at fault: our credentials or database were refused, or our password function failed. */
  readonly aboutCaller: boolean
  /** What was thrown, for the caller it is about; nothing is decided by it. */
  readonly error: unknown
}

/** All that is believed of one host. Frozen; a change makes a new one. */
export interface HostRecord {
  readonly key: HostKey
  /** When the newest probe that we believe was *sent*: what it tells cannot be older. -Infinity before the first. */
  readonly at: number
  readonly answer: Observation | undefined
  readonly failure: Failure | undefined
  /** Somebody lost a connection to it at this moment, and no probe sent since then has cleared it. */
  readonly suspectedAt: number | undefined
  /** How many probes in a row found it fit to lead on its present timeline. */
  readonly confirmations: number
  /** How many probes in a row found it on its present timeline, in whatever role: two of them prove that there is such a timeline. */
  readonly sightings: number
  /** When the first of all the probes in a row was sent that found it as it is: its role, identity and timeline. */
  readonly since: number
}

/** A host of which nothing is known yet. */
export function unknownHost(key: HostKey): HostRecord {
  return Object.freeze({
    key,
    at: -Infinity,
    answer: undefined,
    failure: undefined,
    suspectedAt: undefined,
    confirmations: 0,
    sightings: 0,
    since: -Infinity,
  })
}

/** A server that accepts writes by default. Both count: a hot standby reports the second as off. */
export function acceptsWrites(answer: Observation | undefined): answer is Observation {
  return answer !== undefined && !answer.inRecovery && !answer.defaultTransactionReadOnly
}

/** What it answered before is what it answers now: the same role on the same timeline of the same cluster. */
export function saysTheSame(before: Observation | undefined, now: Observation): boolean {
  return (
    before !== undefined &&
    before.inRecovery === now.inRecovery &&
    before.defaultTransactionReadOnly === now.defaultTransactionReadOnly &&
    sharesHistory(before, now)
  )
}

/** On one timeline of one cluster, as far as can be read. */
export function sharesHistory(a: Observation | undefined, b: Observation): boolean {
  return a !== undefined && a.systemIdentifier === b.systemIdentifier && a.timeline === b.timeline
}

/** One server reached under two names: the same cluster identity and the same start of its postmaster, to the microsecond. */
export function sameServer(a: Observation, b: Observation): boolean {
  return (
    a.systemIdentifier !== undefined &&
    a.systemIdentifier === b.systemIdentifier &&
    a.postmasterStartTime !== undefined &&
    a.postmasterStartTime === b.postmasterStartTime
  )
}
