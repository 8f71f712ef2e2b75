import { decideRetry } from '../core/retry/decide'
import { isReplayable } from '../core/retry/statement'
import { isPgLeaderError, OutcomeUnknownError } from '../errors'
import { beginCall, resume } from '../pool/ticket'
import type { Call } from '../pool/ticket'
import type { Session } from '../pool/session'
import { now } from '../runtime/clock'
import { captureContext } from '../runtime/context'
import { createLog } from '../runtime/log'
import type { FailoverStory } from '../telemetry/failover-story'
import { pause } from './pause'
import { textOf } from './text-of'
import { gatherFailure, isPlainRefusal } from './verdict'

const log = createLog('execution')

/** How often one statement is sent again: one that ends its server every time must not do so for ever. */
const maxReplays = 5

/** What pool.query calls back with. */
export type QueryCallback = (error: unknown, result?: unknown) => void

/** What running a statement needs of its pool. */
export interface QueryPort {
  /** One attempt, by pg-pool's own `query`. */
  attempt(call: Call, text: unknown, values: unknown, callback: QueryCallback): void
  /** Asks the host of this session for its role again; resolves with whether it may still be used. */
  stillSuitable(session: Session): Promise<boolean>
  readonly generation: number
  readonly ending: boolean
  readonly story: FailoverStory
  /** Everything that runs by it changes nothing, whatever its own marks are. */
  readonly readOnly?: boolean
}

/** The options a statement may carry beside pg's own. */
export interface StatementMarks {
  /** The statement changes nothing: it may be sent again, whatever became of the first attempt. Default: false. */
  readonly readOnly?: boolean
  /**
   * A read that is to see all that was written up to this position, as `pool.position()` gave it, perhaps in another process: it
   * goes to a standby that has replayed it, after a little while to the leader. Default: none.
   */
  readonly after?: string
  /** Executing the statement twice is the same as executing it once: it may be sent again. Default: false. */
  readonly idempotent?: boolean
  /**
   * The statement is executed once, whatever becomes of its connection: it carries a witness (an id and a WAL position) in
   * the same message, no round trip more, and its fate is looked up on the leader where the connection alone does not tell
   * it. For one SELECT, VALUES, TABLE, WITH, INSERT, UPDATE, DELETE or MERGE. Default: the pool's option `exactlyOnce`.
   */
  readonly exactlyOnce?: boolean
  /**
   * With `exactlyOnce`: what the application calls it. Should a failover cut it off after it was acknowledged, the `failover`
   * event names it.
   */
  readonly tag?: string
  /** Ends the wait for a client. Once the statement was sent it has no effect. */
  readonly signal?: AbortSignal
}

/**
 * Runs one statement in autocommit: attempt by attempt, until it succeeds, fails for good or its fate is unknown. The
 * way of a statement that succeeds is that of pg-pool, with nothing added.
 */
export function runQuery(port: QueryPort, text: unknown, values: unknown, callback: QueryCallback): void {
  // An answer comes in the context of a socket, or of whoever waited for the same host; what it leads to, and what is sent again, is the caller's.
  const context = captureContext('pg-leader.query')
  const call = beginCall(now(), marksOf(text)?.signal)
  port.attempt(call, text, values, (error, result) => {
    const failed = error ? failedRun(port, call, text, values, error) : undefined
    if (failed === undefined) {
      context?.emitDestroy()
      const answer = error ? [error] : [undefined, result]
      if (context === undefined) callback(...(answer as [unknown, unknown]))
      else context.runInAsyncScope(callback, undefined, ...answer)
      return
    }
    // A user's callback runs outside of the promise: what it throws is not ours to swallow.
    const recover = (): void =>
      void failed.recover().then(
        (found) => process.nextTick(callback, undefined, found),
        (final: unknown) => process.nextTick(callback, final),
      )
    if (context === undefined) return recover()
    context.runInAsyncScope(recover)
    context.emitDestroy()
  })
}

/**
 * The same with a promise of Node's own, which knows the context of its caller: it costs nothing to come back to.
 */
export function runQueryPromise(port: QueryPort, text: unknown, values: unknown): Promise<unknown> {
  const call = beginCall(now(), marksOf(text)?.signal)
  return new Promise((resolve, reject: (reason: unknown) => void) => {
    port.attempt(call, text, values, (error, result) => {
      if (error) reject(failedRun(port, call, text, values, error) ?? error)
      else resolve(result)
    })
  }).catch(recoverOrThrow)
}

function recoverOrThrow(reason: unknown): unknown {
  if (reason instanceof FailedRun) return reason.recover().catch(recapture)
  return recapture(reason)
}

/** As pg-pool does: the stack of an error leads to the caller and not to a socket. */
export function recapture(error: unknown): never {
  Error.captureStackTrace(error as object)
  throw error
}

/** What there is to find out about a failure; undefined where the error is the answer. To be asked at once. */
function failedRun(port: QueryPort, call: Call, text: unknown, values: unknown, error: unknown): FailedRun | undefined {
  const { session } = call
  const marks = marksOf(text)
  // A statement object of the user's own has a state of its own: it is sent once.
  if (typeof (marks as { submit?: unknown } | undefined)?.submit === 'function') return undefined
  if (session === undefined || isPlainRefusal(error, session)) return undefined
  return new FailedRun(port, call, text, values, marks ?? {}, error, session)
}

function marksOf(text: unknown): StatementMarks | undefined {
  return typeof text === 'object' && text !== null ? text : undefined
}

/** Why a statement ends with an error; undefined: it is to be sent again. */
type Verdict = { readonly error: unknown } | undefined

/** A statement whose first attempt failed. */
class FailedRun {
  readonly #port: QueryPort
  readonly #call: Call
  readonly #text: unknown
  readonly #values: unknown
  readonly #marks: StatementMarks
  readonly #first: unknown
  #generation: number
  #replays = 0
  #verdict: Promise<Verdict>

  constructor(
    port: QueryPort,
    call: Call,
    text: unknown,
    values: unknown,
    marks: StatementMarks,
    error: unknown,
    session: Session,
  ) {
    this.#port = port
    this.#call = call
    this.#text = text
    this.#values = values
    this.#marks = marks
    this.#first = error
    this.#generation = session.generation
    this.#verdict = this.#judge(error, session)
  }

  get #isReadOnly(): boolean {
    return this.#port.readOnly === true || this.#marks.readOnly === true
  }

  /** Sends the statement again as often as that is right. To be called in the context of its caller. */
  async recover(): Promise<unknown> {
    for (;;) {
      const verdict = await this.#verdict
      if (verdict !== undefined) throw verdict.error
      await this.#pause()
      const answer = await this.#attempt()
      if (answer !== undefined) return answer.result
    }
  }

  /** An error of ours that ends a statement which was sent before leads to how that failed. */
  #withFirst(error: unknown): unknown {
    if (isPgLeaderError(error) && error.cause === undefined) {
      Object.defineProperty(error, 'cause', { value: this.#first, writable: true, configurable: true })
    }
    return error
  }

  /** Sends the statement once more; undefined if that failed as well, and there is a verdict to come. */
  #attempt(): Promise<{ readonly result: unknown } | undefined> {
    const call = this.#call
    resume(call, now())
    return new Promise((resolve) => {
      this.#port.attempt(call, this.#text, this.#values, (error, result) => {
        if (error) this.#verdict = this.#failedAgain(error)
        resolve(error ? undefined : { result })
      })
    })
  }

  #failedAgain(error: unknown): Promise<Verdict> {
    const { session } = this.#call
    if (session === undefined) return Promise.resolve({ error: this.#withFirst(error) })
    return isPlainRefusal(error, session) ? Promise.resolve({ error }) : this.#judge(error, session)
  }

  /** Begins at once: what tells an ended session from a raised error may be the server's next message. */
  async #judge(error: unknown, session: Session): Promise<Verdict> {
    const failure = await gatherFailure(error, session, this.#port)
    const statement = {
      replayable: isReplayable(textOf(this.#text) ?? ''),
      readOnly: this.#isReadOnly,
      idempotent: this.#marks.idempotent === true,
    }
    const decision = decideRetry(statement, failure)
    if (decision.action === 'replay' && this.#replays < maxReplays && !this.#port.ending) {
      this.#replays += 1
      this.#port.story.replayed()
      log('replay %d, %s: %s', this.#replays, decision.outcome, decision.reason)
      return undefined
    }
    // A read that cannot be sent again had no effect, whatever became of it.
    const unknown = decision.action === 'unknown' || (decision.action === 'replay' && decision.outcome === 'unknown')
    if (!unknown || this.#isReadOnly) return { error }
    this.#port.story.unknown()
    log('outcome unknown on %s: %s', session.host, decision.reason)
    return { error: unknownOutcome(error, session, decision.reason) }
  }

  /** Against a server that is still the same one, the second replay is not in a hurry any more. */
  async #pause(): Promise<void> {
    const sameServer = this.#port.generation === this.#generation
    this.#generation = this.#port.generation
    if (this.#replays === 1 || !sameServer) return
    await pause(this.#replays)
  }
}

function unknownOutcome(cause: unknown, session: Session, reason: string): OutcomeUnknownError {
  return new OutcomeUnknownError(
    `A statement was sent to ${session.host} and ${reason}: it was executed once or not at all, and was not sent again. ` +
      'Look for its effect, or mark a statement that may be sent twice as idempotent, one that changes nothing as readOnly',
    { cause },
  )
}
