import { covers, later } from '../core/selection/position'
import type { Position } from '../core/selection/position'
import { parseLsn } from '../core/outcome/lsn'
import { serverColumns } from '../core/outcome/columns'
import type { HostKey } from '../core/topology/host'
import { asText } from '../runtime/as-text'
import { now } from '../runtime/clock'
import { createLog } from '../runtime/log'
import { sleep } from '../runtime/timer'
import type { AnswerRow, Ask } from './ask'
import { ReplayWaits } from './replay-waits'

const log = createLog('pool')

/** Between two questions to a standby that is waited for and does not tell by itself. */
const betweenQuestionsMillis = 5

/**
 * How far a standby has replayed, and a timeline that it has certainly been on; it goes from one to the next, never back. Only
 * a role that may read all statistics is told what the WAL receiver follows. Any other hears of a new timeline when the standby
 * writes it to its control file: with a restart point, with a replayed COMMIT that removes a file, or with a page that it flushes.
 */
const replayed = `select pg_last_wal_replay_lsn()::text as lsn, greatest(
  (select received_tli from pg_stat_wal_receiver), (select min_recovery_end_timeline from pg_control_recovery()),
  (select timeline_id from pg_control_checkpoint()))::text as timeline,
  current_setting('server_version_num', true) as version where pg_is_in_recovery()`

/** Of a primary: all that was done before the question lies before this, flushed or not. */
const written = `select pg_current_wal_insert_lsn()::text as lsn, ${serverColumns.timeline} as timeline`

/** The question to a primary. */
export const positionQuestion = { text: written, types: asText } as const

/** In one message with COMMIT: costs nothing, and lies behind it. */
export const commitAndPosition = `commit; ${written}`

/** Reads an answer; undefined where the server does not tell. */
export function readPosition(row: AnswerRow | undefined): Position | undefined {
  const lsn = parseLsn(row?.['lsn'])
  const timeline = Number(row?.['timeline'] ?? Number.NaN)
  return lsn === undefined || !Number.isInteger(timeline) ? undefined : { timeline, lsn }
}

/** How far the standbys have come, as far as we have been told: asked only when somebody has to know. */
export class HostPositions {
  readonly #ask: Ask
  readonly #known = new Map<HostKey, Position>()
  /** One question to a host at a time, however many wait for it. */
  readonly #open = new Map<HostKey, Promise<Position | undefined>>()
  readonly #waits: ReplayWaits

  /** `hasSpare`: whether two sessions can be had on a host now, one that waits and another one. */
  constructor(ask: Ask, hasSpare: (host: HostKey) => boolean) {
    this.#ask = ask
    this.#waits = new ReplayWaits(ask, hasSpare)
  }

  /** A host has been lost sight of: a standby that was restarted may have less than it had. */
  forget(host: HostKey): void {
    this.#known.delete(host)
    this.#open.delete(host)
    this.#waits.forget(host)
  }

  /** Whether it is known already that a host has come so far. */
  has(host: HostKey, wanted: Position): boolean {
    return covers(this.#known.get(host), wanted)
  }

  /** Waits until a standby has come so far; false if it has not when the time is up, or cannot be asked. */
  async reaches(host: HostKey, wanted: Position, waitMillis: number): Promise<boolean> {
    const until = now() + waitMillis
    for (;;) {
      if (this.has(host, wanted)) return true
      const reached = await this.#look(host)
      if (covers(reached, wanted)) return true
      // Of another timeline than is wanted it will not become one of that by and by, as a rule.
      if (reached?.timeline !== wanted.timeline || now() + betweenQuestionsMillis > until) return false
      await (this.#waits.wait(host, wanted, until) ?? sleep(betweenQuestionsMillis))
    }
  }

  /** A question that was asked before somebody came serves him as well: what it tells was true then already. */
  #look(host: HostKey): Promise<Position | undefined> {
    const open = this.#open.get(host)
    if (open !== undefined) return open
    const asked: Promise<Position | undefined> = this.#ask(host, { text: replayed, types: asText })
      .then(({ rows }) => {
        const position = readPosition(rows[0])
        this.#waits.noteVersion(host, rows[0]?.['version'])
        const isForgotten = this.#open.get(host) !== asked
        if (position !== undefined && !isForgotten)
          this.#known.set(host, later(this.#known.get(host), position) as Position)
        return isForgotten ? undefined : position
      })
      .catch((error: unknown) => {
        log('%s does not tell how far it has come: %s', host, (error as Error).message)
        return undefined
      })
      .finally(() => {
        if (this.#open.get(host) === asked) this.#open.delete(host)
      })
    this.#open.set(host, asked)
    return asked
  }
}
