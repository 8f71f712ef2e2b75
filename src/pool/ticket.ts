import type { PoolClient } from 'pg'
import { captureContext } from '../runtime/context'
import type { Session } from './session'

/** How pg-pool calls back. */
export type CheckoutCallback = (
  error: Error | undefined,
  client?: PoolClient,
  done?: (release?: Error | boolean) => void,
) => void

/** One call of the user, over all its attempts: its deadlines are counted from here. Small, since every statement has one. */
export interface Call {
  readonly arrival: number
  readonly signal: AbortSignal | undefined
  /** Who is told of the end of the present attempt's wait. */
  callback: CheckoutCallback
  /** The session of the present attempt, once it has been handed out. */
  session: Session | undefined
  /** What it has been through before; almost no call has a past. */
  past: Past | undefined
}

/** What a call has been through that was held, or whose first attempt failed. */
export interface Past {
  /** Its first attempt was sent, and failed. */
  resent: boolean
  /** When the wait began that is under way: a statement that is sent again has not waited while it was executed. */
  since: number
  /** How long earlier attempts waited, until each had its client; where there is a limit that it counts against. */
  waitedMillis: number
  /** How long it has been held so far for want of a host, in earlier attempts and phases. */
  heldMillis: number
}

/** Begins a call. */
export function beginCall(arrival: number, signal?: AbortSignal): Call {
  return { arrival, signal, callback: noop, session: undefined, past: undefined }
}

/** To be written to: from then on it has one. */
export function pastOf(call: Call): Past {
  return (call.past ??= { resent: false, since: call.arrival, waitedMillis: 0, heldMillis: 0 })
}

/** Its attempt was sent and has failed: it goes back to the line, to the place that it had. */
export function resume(call: Call, at: number): void {
  const past = pastOf(call)
  call.session = undefined
  past.resent = true
  past.since = at
}

/** When the wait began that is under way. */
export function sinceOf({ arrival, past }: Call): number {
  return past === undefined ? arrival : past.since
}

function noop(): void {
  // Nobody is told.
}

/** What a caller's callback throws ends the process, as with pg, and not the work that others wait for. */
export function throwLater(error: unknown): void {
  process.nextTick(() => {
    throw error
  })
}

/** A caller who stands in our line for a client: settled exactly once, in the async context it came from. */
export class Ticket {
  readonly call: Call
  /** Left the line; set before the callback runs. */
  settled = false
  /** A failover's story counts it among the held. */
  counted = false
  readonly #callback: CheckoutCallback
  readonly #context = captureContext('pg-leader.checkout')
  #stopListening: (() => void) | undefined

  constructor(call: Call) {
    this.call = call
    this.#callback = call.callback
  }

  get arrival(): number {
    return this.call.arrival
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

  /** There is a host to go to: what it waited for is tried again. */
  goOn(): void {
    this.#tell(undefined, undefined, noop)
  }

  #tell(error: Error | undefined, client: PoolClient | undefined, done: () => void): void {
    this.#stopListening?.()
    try {
      if (this.#context === undefined) this.#callback(error, client, done)
      else this.#context.runInAsyncScope(this.#callback, undefined, error, client, done)
    } catch (thrown) {
      throwLater(thrown)
    }
    this.#context?.emitDestroy()
  }
}
