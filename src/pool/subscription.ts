import { captureContext } from '../runtime/context'
import { after } from '../runtime/timer'
import type { Timer } from '../runtime/timer'
import { throwLater } from './ticket'

/** A NOTIFY of somebody's. */
export interface ListenNotification {
  /** Tells it from a gap. */
  readonly type: 'notification'
  /** The channel's name, as it was given to `listen`. */
  readonly channel: string
  /** Empty if there was none; PostgreSQL allows 7999 bytes. */
  readonly payload: string
  /** The backend that sent it, on the server that led at that moment. */
  readonly processId: number
}

/** The subscription stands again after its session was lost: what was notified meanwhile was not heard. */
export interface ListenGap {
  /** Tells it from a notification. */
  readonly type: 'gap'
  /** The channel's name, as it was given to `listen`. */
  readonly channel: string
  /** How long ago the last sign of life was, in milliseconds: what had been notified before then was heard. */
  readonly millis: number
}

/** What the handler of `pool.listen` is given: what came, and that something may be missing. */
export type ListenEvent = ListenNotification | ListenGap

/** What is called with each event of a channel. */
export type ListenHandler = (event: ListenEvent) => void

/** A channel that is listened to, by one handler. */
export interface Subscription extends AsyncDisposable {
  /** Its name, as it was given to `listen`. */
  readonly channel: string
  /** From this call on the handler is not called any more. Resolves when the server has been told; never rejects. */
  close(): Promise<void>
}

/** One handler of one channel: on its way to a subscription, then called until it is closed, in its caller's async context. */
export class Subscriber {
  readonly #handler: ListenHandler
  readonly #context = captureContext('pg-leader.listen')
  readonly #begun: () => void
  readonly #failed: (error: Error) => void
  #patience: Timer | undefined
  #state: 'pending' | 'live' | 'closed' = 'pending'

  /** `begun` or `failed` is called once, unless it is closed before. */
  constructor(handler: ListenHandler, begun: () => void, failed: (error: Error) => void) {
    this.#handler = handler
    this.#begun = begun
    this.#failed = failed
  }

  get pending(): boolean {
    return this.#state === 'pending'
  }

  /** Whoever waits keeps the process alive. */
  expireAfter(millis: number, expired: () => void): void {
    this.#patience = after(millis, expired, { ref: true })
  }

  /** The server has accepted it. */
  begin(): void {
    if (this.#state !== 'pending') return
    this.#state = 'live'
    this.#patience?.cancel()
    this.#begun()
  }

  /** It never came to be. */
  fail(error: Error): void {
    if (this.#state === 'pending') this.#failed(error)
    this.close()
  }

  close(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#patience?.cancel()
    this.#context?.emitDestroy()
  }

  /** What a handler throws ends the process, as in a listener of pg's, and keeps no other one from hearing. */
  tell(event: ListenEvent): void {
    if (this.#state === 'closed') return
    try {
      if (this.#context === undefined) this.#handler(event)
      else this.#context.runInAsyncScope(this.#handler, undefined, event)
    } catch (error) {
      throwLater(error)
    }
  }
}
