/** What the callers do. The table of {@link workers} has one function for each. */
export type Kind = 'plain write' | 'idempotent write' | 'read' | 'transaction'

/** Where a write stood in the WAL when its row had been written, before its commit. */
export interface Place {
  readonly timeline: number
  readonly lsn: number
}

/** One call and what became of it. Times are those of the shared clock, in milliseconds. */
export interface Answer {
  readonly kind: Kind
  /** The row it wrote is called so; those of a transaction, `id#attempt`. */
  readonly id: string
  readonly worker: number
  readonly startedAt: number
  readonly endedAt: number
  readonly ending: 'acknowledged' | 'unknown' | 'failed'
  /** Why it is unknown, or failed. */
  readonly reason?: string
  /** Of the write that was acknowledged. Without it for what was found to have been written before. */
  readonly place?: Place | undefined
  /** How often a transaction was begun. */
  readonly attempts?: number
  /** The COMMIT went unanswered, and was looked up. */
  readonly lookedUp?: boolean
}

/** A call without an answer when everything was over. */
export type Open = Pick<Answer, 'kind' | 'id' | 'startedAt'>
