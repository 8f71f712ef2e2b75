import type { HostKey } from '../topology/host'

/**
 * One life of one server, from the end of a recovery to the next: what tells whether an answer comes from the very
 * process that a transaction ran on. Read once per session, over that session.
 */
export interface Incarnation {
  readonly systemIdentifier: string
  readonly timeline: number
  /** `pg_postmaster_start_time()`. Not changed by a crash of backends alone, nor by a promotion. */
  readonly postmasterStartTime: string
  /** `pg_last_wal_replay_lsn()`: where the recovery ended that it came from; undefined after a clean start. */
  readonly replayLsn: bigint | undefined
  /** `stats_reset` of `pg_stat_bgwriter`: renewed by every crash recovery, kept by clean restarts and promotions. */
  readonly statsReset: string | undefined
}

/** What is known of an incarnation, as far as it can be read. */
export type IncarnationAnswer = { readonly [K in keyof Incarnation]: Incarnation[K] | undefined }

type Life = Pick<IncarnationAnswer, 'postmasterStartTime' | 'timeline' | 'replayLsn'>

/** Whether two answers of one cluster come from one incarnation: nothing has ended and begun between them. */
export function isSameIncarnation(a: Life, b: Life): boolean {
  return a.postmasterStartTime === b.postmasterStartTime && a.replayLsn === b.replayLsn && a.timeline === b.timeline
}

/** What a write carries that wants certainty. */
export interface Witness {
  /** `pg_current_xact_id()`. An id whose WAL was lost is given to somebody else later. */
  readonly xid: string
  /** The end of a WAL record that bears the xid. */
  readonly lsn: bigint
}

/** A COMMIT whose answer was lost: all that is known of it on this side. Times as everywhere in `core`. */
export interface Doubt {
  readonly host: HostKey
  readonly witness: Witness
  readonly incarnation: Incarnation
  /** Nothing stands between: the server sees the address and port that our socket has. */
  readonly direct: boolean
  /** When the witness was known here: its server was alive then. */
  readonly witnessedAt: number
  /** When the connection was seen to end. */
  readonly lostAt: number
  /** The other side ended it; false if we cut it, or the network gave up. */
  readonly closedByPeer: boolean
  /** This process did not look for a while before it saw the end, which may have come earlier then. */
  readonly stalled: boolean
}

/** What the leader answers when it is asked about a {@link Doubt}. */
export interface LookUp {
  readonly host: HostKey
  readonly incarnation: IncarnationAnswer
  /** `pg_xact_status()`; `in the future` stands for its error 22023, undefined for NULL. */
  readonly status: 'committed' | 'aborted' | 'in progress' | 'in the future' | undefined
}
