import type { Leader } from '../core/topology/state'

/**
 * The whole story of one failover; what `pool.on('failover', …)` is given. Times are milliseconds.
 *
 * @example
 * ```ts
 * import { Pool } from 'pg-leader'
 * const pool = new Pool({ connectionString: 'postgres://app@db1,db2,db3/shop' })
 * pool.on('failover', ({ from, to, leaderlessMillis, held, longestHoldMillis, unknown }) => {
 *   console.warn(`${from} to ${to}: ${leaderlessMillis} ms without a leader, ${held} calls waited up to ${longestHoldMillis} ms`)
 *   if (unknown > 0) console.error(`${unknown} statements of unknown outcome`)
 * })
 * ```
 */
export interface FailoverEvent {
  /** Who led before. The same host as `to` after a restart in place. */
  readonly from: string
  /** Who leads now. */
  readonly to: string
  /** The timeline on which `from` led; undefined where timelines cannot be read. */
  readonly fromTimeline: number | undefined
  /** The timeline on which `to` leads: higher after a promotion, the same after a restart in place. */
  readonly toTimeline: number | undefined
  /** The topology's generation from then on. */
  readonly generation: number
  /** From the first sign of the loss to the new leader, as this process saw it. */
  readonly leaderlessMillis: number
  /** Calls that waited meanwhile. */
  readonly held: number
  /** The longest that one of them waited for a leader. */
  readonly longestHoldMillis: number
  /** Statements that were sent again, because the first attempt had no effect or the caller declared it harmless. */
  readonly replayed: number
  /** Statements that were in flight and whose fate nobody knows: each got an `OutcomeUnknownError`. */
  readonly unknown: number
  /**
   * Transactions that were acknowledged and that the new leader does not have: it was promoted, or has recovered, at a point
   * before them, as can be without synchronous replication. Counted of those that carried a witness or a marker
   * (`pool.transaction`, `exactlyOnce`, the option `outcome`), the last 10,000. `undefined`: the new leader could not be asked.
   */
  readonly lost: number | undefined
  /** What the application had called those of them that had a `tag`. */
  readonly lostTags: readonly string[]
}

/** A doubt that was cleared no longer ago than this is where the loss began: a server that stops may answer once more. */
const prologueMillis = 1000

/** Collects what happens from the loss of a leader until the last caller it held has been served. */
export class FailoverStory {
  #lostAt: number | undefined
  #lastLostAt = -Infinity
  #held = 0
  #stillHeld = 0
  #longestHoldMillis = 0
  #replayed = 0
  #unknown = 0
  #pending: { from: Leader; to: Leader; generation: number; electedAt: number } | undefined
  readonly #tell: (event: FailoverEvent) => void

  constructor(tell: (event: FailoverEvent) => void) {
    this.#tell = tell
  }

  /** Whether a new leader has been found whose story is not told yet. */
  get pending(): boolean {
    return this.#pending !== undefined
  }

  /** The story begins: who was held before, at the start or by a pause, belongs to no failover. */
  lost(at: number): void {
    const isFirst = this.#pending === undefined && this.#lostAt === undefined
    if (isFirst && at - this.#lastLostAt > prologueMillis) this.#begin()
    this.#lastLostAt = at
    this.#lostAt ??= at
  }

  held(): void {
    this.#held += 1
    this.#stillHeld += 1
  }

  /** One of the held has left the line, with a client or without. */
  released(): void {
    this.#stillHeld -= 1
  }

  /** Everybody who was held has been served, or has given up. */
  get over(): boolean {
    return this.#stillHeld === 0
  }

  heldFor(millis: number): void {
    this.#longestHoldMillis = Math.max(this.#longestHoldMillis, millis)
  }

  replayed(): void {
    this.#replayed += 1
  }

  unknown(): void {
    this.#unknown += 1
  }

  /** Somebody else leads, or the same host in another incarnation. */
  elected(from: Leader, to: Leader, generation: number, electedAt: number): void {
    // A leader that was deposed while it still answered was never lost: the story begins and ends here.
    if (this.#pending === undefined && this.#lostAt === undefined) this.#begin()
    this.#pending = { from: this.#pending?.from ?? from, to, generation, electedAt }
  }

  /** The leader came back as it was: nothing to tell. */
  clear(): void {
    if (this.#pending === undefined) this.#lostAt = undefined
  }

  /** To be called when nobody is held any more: tells the story, if there is one. `lost`: what came out of asking for that. */
  conclude(lost?: { readonly count: number; readonly tags: readonly string[] }): void {
    const pending = this.#pending
    if (pending === undefined) return
    const { from, to, generation, electedAt } = pending
    const event: FailoverEvent = Object.freeze({
      from: from.key,
      to: to.key,
      fromTimeline: from.timeline,
      toTimeline: to.timeline,
      generation,
      leaderlessMillis: Math.max(0, electedAt - (this.#lostAt ?? electedAt)),
      held: this.#held,
      longestHoldMillis: this.#longestHoldMillis,
      replayed: this.#replayed,
      unknown: this.#unknown,
      lost: lost?.count,
      lostTags: lost?.tags ?? [],
    })
    this.#pending = undefined
    this.#begin()
    this.#tell(event)
  }

  #begin(): void {
    this.#lostAt = undefined
    this.#held = this.#longestHoldMillis = this.#replayed = this.#unknown = 0
  }
}
