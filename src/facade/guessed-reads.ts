import { Guesses } from '../core/routing/guesses'
import type { StatementParser } from '../core/routing/statement-parser'
import { announcesShutdown, mayBeStandbyRefusal, serverCode, sqlstate } from '../core/retry/sqlstate'
import { scopeNow } from '../execution/read-scope'
import type { QueryPort, StatementMarks } from '../execution/run-query'
import { createLog } from '../runtime/log'
import { noStandby } from './reads'
import type { Reads } from './reads'

const log = createLog('facade')

/** The statements of a pool that nobody has marked and that are reads by their text: `routeReads: 'parsed'`. */
export class GuessedReads {
  readonly #guesses: Guesses
  readonly #reads: Reads
  readonly #isInTransaction: () => boolean

  /** `isInTransaction`: whether the code that runs now is inside of a transaction of the pool's. */
  constructor(parser: StatementParser, reads: Reads, isInTransaction: () => boolean) {
    this.#guesses = new Guesses(parser)
    this.#reads = reads
    this.#isInTransaction = isInTransaction
  }

  /** By what they run. */
  get port(): QueryPort {
    return this.#reads.guessed
  }

  /** Whether what is asked of the pool, and is not marked as a read, is to go to a standby. */
  isRead(query: unknown): boolean {
    const text = unmarkedText(query)
    if (text === undefined || scopeNow() === 'primary' || this.#isInTransaction()) return false
    return this.#guesses.isRead(text) && this.#reads.hasStandby
  }

  /**
   * Whether this is not the answer to what was guessed: nobody has asked for a standby, so that the leader has the last word on whatever
   * is refused there. It may lag behind in its tables and functions, lock out a role, or be unable to do what the leader can.
   */
  leaderDecides(error: unknown, query: unknown): boolean {
    if (error === noStandby) return true
    const code = serverCode(error)
    // What was cancelled or took too long would do so again, and what ends its server is not to be tried on the leader.
    if (code === undefined || code === sqlstate.queryCanceled || code.startsWith('08') || announcesShutdown(code))
      return false
    if (mayBeStandbyRefusal(code)) {
      log('a standby refused with %s what is a read by its text: it and its like go to the leader from now on', code)
      this.#guesses.refused(unmarkedText(query) ?? '')
    }
    return true
  }
}

/** The text of a statement that carries no mark of ours; undefined for any other one. */
function unmarkedText(query: unknown): string | undefined {
  if (typeof query === 'string') return query
  if (typeof query !== 'object' || query === null) return undefined
  const { text, submit, readOnly, idempotent, exactlyOnce } = query as StatementMarks &
    Record<'text' | 'submit', unknown>
  const isMarked = readOnly !== undefined || idempotent === true || exactlyOnce === true
  return typeof text === 'string' && submit === undefined && !isMarked ? text : undefined
}
