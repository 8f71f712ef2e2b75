import { AsyncResource } from 'node:async_hooks'
import type { PoolClient } from 'pg'
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
  /** The session of the present attempt, once it has been handed out. */
  session: Session | undefined
}

/** Begins a call. */
export function beginCall(arrival: number, signal?: AbortSignal): Call {
  return {
    arrival,
    resent: false,
    since: arrival,
    waitedMillis: 0,
    heldMillis: 0,
    counted: false,
    signal,
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

/** Looked up once: in CommonJS an imported name is a getter, and this one is on the way of every statement. */
const Resource = AsyncResource
const endedByHand = { requireManualDestroy: true }

/** A caller who waits for a client: settled exactly once, in the async context it came from. */
export class Ticket {
  readonly call: Call
  readonly arrival: number
  /** Left the line; set before the callback runs. */
  settled = false
  readonly #callback: CheckoutCallback
  /**
   * Where the caller comes from. Made for everybody: that there is nothing to keep cannot be told from outside (inside
   * the first `AsyncLocalStorage.run` of a process the execution id is 0 still).
   */
  readonly #resource = new Resource('pg-leader.checkout', endedByHand)
  #stopListening: (() => void) | undefined

  constructor(call: Call, callback: CheckoutCallback) {
    this.call = call
    this.arrival = call.arrival
    this.#callback = callback
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
      this.#resource.runInAsyncScope(this.#callback, undefined, error, client, done)
    } catch (thrown) {
      throwLater(thrown)
    }
    this.#resource.emitDestroy()
  }
}
