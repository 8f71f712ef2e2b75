import type { AsyncResource } from 'node:async_hooks'
import type { PoolClient } from 'pg'
import { captureContext } from '../runtime/context'
import type { Session } from './session'

/** How pg-pool calls back. */
export type CheckoutCallback = (
  error: Error | undefined,
  client?: PoolClient,
  done?: (release?: Error | boolean) => void,
) => void

/** One call of the user, over all its attempts: its deadlines are counted from here. */
export interface Call {
  readonly arrival: number
  /** Its first attempt was sent, and failed. */
  resent: boolean
  /** When the wait began that is under way: a statement that is sent again has not waited while it was executed. */
  since: number
  /** How long earlier attempts waited, until each had its client. */
  waitedMillis: number
  /** How long it has been held so far for want of a host, in earlier attempts and phases. */
  heldMillis: number
  /** Whether a failover's story counts it among the held. */
  counted: boolean
  readonly signal: AbortSignal | undefined
  /** Whoever began it keeps its context, for all attempts; otherwise a ticket does, while it waits. */
  readonly keepsContext: boolean
  /** Where it comes from, if that is kept and there is anything to keep. */
  readonly context: AsyncResource | undefined
  /** The session of the present attempt, once it has been handed out. */
  session: Session | undefined
}

/** Begins a call. */
export function beginCall(arrival: number, signal?: AbortSignal, keepsContext = false, context?: AsyncResource): Call {
  return {
    arrival,
    resent: false,
    since: arrival,
    waitedMillis: 0,
    heldMillis: 0,
    counted: false,
    signal,
    keepsContext,
    context,
    session: undefined,
  }
}

const noop = (): void => undefined

/** What a caller's callback throws ends the process, as with pg, and not the work that others wait for. */
export function throwLater(error: unknown): void {
  process.nextTick(() => {
    throw error
  })
}

/** A caller who waits for a client: settled exactly once, in the async context it came from. */
export class Ticket {
  readonly call: Call
  readonly arrival: number
  /** Left the line; set before the callback runs. */
  settled = false
  readonly #callback: CheckoutCallback
  readonly #context: AsyncResource | undefined
  #stopListening: (() => void) | undefined

  constructor(call: Call, callback: CheckoutCallback) {
    this.call = call
    this.arrival = call.arrival
    this.#callback = callback
    this.#context = call.keepsContext ? call.context : captureContext('pg-leader.checkout')
  }

  /** Calls back when the caller's signal says that nobody waits any more. */
  onAbort(signal: AbortSignal, aborted: () => void): void {
    signal.addEventListener('abort', aborted, { once: true })
    this.#stopListening = () => signal.removeEventListener('abort', aborted)
  }

  fail(error: Error): void {
    this.#tell(error, undefined, noop)
  }

  serve(client: PoolClient): void {
    this.#tell(undefined, client, client.release)
  }

  #tell(error: Error | undefined, client: PoolClient | undefined, done: () => void): void {
    this.#stopListening?.()
    try {
      if (this.#context === undefined) this.#callback(error, client, done)
      else this.#context.runInAsyncScope(this.#callback, undefined, error, client, done)
    } catch (thrown) {
      throwLater(thrown)
    }
    if (!this.call.keepsContext) this.#context?.emitDestroy()
  }
}
