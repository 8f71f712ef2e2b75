import type { AsyncResource } from 'node:async_hooks'
import { backoffMillis } from '../core/retry/backoff'
import { decideRetry } from '../core/retry/decide'
import { isReplayable } from '../core/retry/statement'
import { mayBeStandbyRefusal } from '../core/retry/sqlstate'
import { isPgLeaderError, OutcomeUnknownError } from '../errors'
import { beginCall } from '../pool/ticket'
import type { Call } from '../pool/ticket'
import type { Session } from '../pool/session'
import { now } from '../runtime/clock'
import { captureContext } from '../runtime/context'
import { createLog } from '../runtime/log'
import { random } from '../runtime/random'
import { after } from '../runtime/timer'
import type { FailoverStory } from '../telemetry/failover-story'
import { gatherFacts, isPlainRefusal } from './verdict'

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
}

/** The options a statement may carry beside pg's own. */
export interface StatementMarks {
  /** The statement changes nothing: it may be sent again, whatever became of the first attempt. Default: false. */
  readonly readOnly?: boolean
  /** Executing the statement twice is the same as executing it once: it may be sent again. Default: false. */
  readonly idempotent?: boolean
  /** Ends the wait for a client. Once the statement was sent it has no effect. */
  readonly signal?: AbortSignal
}

/**
 * Runs one statement in autocommit: attempt by attempt, until it succeeds, fails for good or its fate is unknown. The
 * way of a statement that succeeds is that of pg-pool, with nothing added.
 */
export function runQuery(port: QueryPort, text: unknown, values: unknown, callback: QueryCallback): void {
  const marks: StatementMarks | undefined = typeof text === 'object' && text !== null ? text : undefined
  // A failure is told in the context of a socket, or of whoever waited for the same host; what is sent again is the caller's.
  const context = captureContext('pg-leader.query')
  const call = beginCall(now(), marks?.signal, true, context)
  port.attempt(call, text, values, (error, result) => {
    // A statement object of the user's own has a state of its own: it is sent once.
    if (error && typeof (marks as { submit?: unknown } | undefined)?.submit !== 'function') {
      new FailedRun(port, call, text, values, marks ?? {}, callback, context).failed(error)
      return
    }
    context?.emitDestroy()
    if (error) callback(error)
    else callback(undefined, result)
  })
}

/** A statement whose first attempt failed. */
class FailedRun {
  readonly #port: QueryPort
  readonly #call: Call
  readonly #text: unknown
  readonly #values: unknown
  readonly #marks: StatementMarks
  readonly #callback: QueryCallback
  readonly #context: AsyncResource | undefined
  #first: unknown
  #generation: number
  #replays = 0

  constructor(
    port: QueryPort,
    call: Call,
    text: unknown,
    values: unknown,
    marks: StatementMarks,
    callback: QueryCallback,
    context: AsyncResource | undefined,
  ) {
    this.#port = port
    this.#call = call
    this.#text = text
    this.#values = values
    this.#marks = marks
    this.#callback = callback
    this.#context = context
    this.#generation = call.session?.generation ?? port.generation
  }

  failed(error: unknown): void {
    const { session } = this.#call
    if (session === undefined) return this.#end(this.#withFirst(error))
    if (isPlainRefusal(error, session)) return this.#end(error)
    this.#first ??= error
    // The monitor that is asked does not keep the process alive; whoever waits for this call must.
    // A user's callback runs outside of the promise: what it throws is not ours to swallow.
    const awake = after(Infinity, () => undefined, { ref: true })
    void this.#judge(error, session)
      .finally(() => awake.cancel())
      .then(
        (final) => final && process.nextTick(() => this.#end(final.error)),
        (failure: unknown) => process.nextTick(() => this.#end(failure)),
      )
  }

  #end(error: unknown, result?: unknown): void {
    this.#inContext(() => (error ? this.#callback(error) : this.#callback(undefined, result)))
    this.#context?.emitDestroy()
  }

  #inContext(act: () => void): void {
    if (this.#context === undefined) act()
    else this.#context.runInAsyncScope(act)
  }

  /** An error of ours that ends a statement which was sent before leads to how that failed. */
  #withFirst(error: unknown): unknown {
    if (this.#first !== undefined && isPgLeaderError(error) && error.cause === undefined) {
      Object.defineProperty(error, 'cause', { value: this.#first, writable: true, configurable: true })
    }
    return error
  }

  /** Sends the statement again, or tells with which error its call is to end. */
  async #judge(error: unknown, session: Session): Promise<{ error: unknown } | undefined> {
    const facts = await gatherFacts(error, session)
    const refused = !facts.connectionLost && mayBeStandbyRefusal(facts.sqlstate)
    const demoted = refused && !(await this.#port.stillSuitable(session))
    const statement = {
      replayable: isReplayable(textOf(this.#text)),
      readOnly: this.#marks.readOnly === true,
      idempotent: this.#marks.idempotent === true,
    }
    const decision = decideRetry(statement, { ...facts, demoted })
    if (decision.action === 'replay' && this.#replays < maxReplays && !this.#port.ending) {
      this.#replay(`${decision.outcome}: ${decision.reason}`)
      return undefined
    }
    // A read that cannot be sent again had no effect, whatever became of it.
    const unknown = decision.action === 'unknown' || (decision.action === 'replay' && decision.outcome === 'unknown')
    if (!unknown || this.#marks.readOnly === true) return { error }
    this.#port.story.unknown()
    log('outcome unknown on %s: %s', session.host, decision.reason)
    return { error: unknownOutcome(error, session, decision.reason) }
  }

  #replay(why: string): void {
    this.#replays += 1
    this.#port.story.replayed()
    log('replay %d, %s', this.#replays, why)
    const sameServer = this.#port.generation === this.#generation
    this.#generation = this.#port.generation
    // Against a server that is still the same one, the second replay is not in a hurry any more.
    if (this.#replays === 1 || !sameServer) this.#attempt()
    else after(backoffMillis(this.#replays, { base: 10, cap: 500 }, random()), () => this.#attempt(), { ref: true })
  }

  #attempt(): void {
    this.#call.session = undefined
    this.#call.resent = true
    this.#call.since = now()
    this.#inContext(() => {
      this.#port.attempt(this.#call, this.#text, this.#values, (error, result) => {
        if (error) this.failed(error)
        else this.#end(undefined, result)
      })
    })
  }
}

function textOf(text: unknown): string {
  const found: unknown = typeof text === 'string' ? text : (text as { text?: unknown } | null | undefined)?.text
  return typeof found === 'string' ? found : ''
}

function unknownOutcome(cause: unknown, session: Session, reason: string): OutcomeUnknownError {
  return new OutcomeUnknownError(
    `A statement was sent to ${session.host} and ${reason}: it was executed once or not at all, and was not sent again. ` +
      'Look for its effect, or mark a statement that may be sent twice as idempotent, one that changes nothing as readOnly',
    { cause },
  )
}
