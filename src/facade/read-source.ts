import type pg from 'pg'
import type { Client } from 'pg'
import type { QueryPort } from '../execution/run-query'
import type { Clients } from '../pool/clients'
import type { Call, CheckoutCallback } from '../pool/ticket'
import { createLog } from '../runtime/log'

const log = createLog('pool')

/** What serves the reads of a pool, whether it follows somebody or not. */
export interface ReadSource {
  /** The sessions of all readers. */
  readonly clients: Clients
  /** The class of clients that read by themselves. */
  readonly Client: typeof Client
  readonly view: ReaderView
  /** pg's own pools behind it. */
  readonly pools: readonly pg.Pool[]
  /** Callers who are held, and in the hands of none of these pools. */
  readonly held: number
  /** By what a statement runs that is a read; an error for what is not sent at all. */
  portFor(query: unknown): QueryPort | Error
  /** A client that reads. */
  connect(call: Call, callback: CheckoutCallback): void
  pause(): void
  resume(): void
  /** Undefined where there is nothing to wait for; else resolves when nothing is left of it. */
  end(): Promise<void> | undefined
}

/** Told of what the pools of the readers emit; whether anybody has heard it. */
type ReaderEvents = (event: string | symbol, args: readonly unknown[]) => boolean

/** What an application sees of readers, should it look: `pool.readOnly`. */
export class ReaderView {
  #events: ReaderEvents | undefined
  #over: (() => void) | undefined
  #isOver = false

  /** `over`: told that there is nothing to view any more. */
  watch(events: ReaderEvents, over: () => void): void {
    this.#events = events
    this.#over = over
    if (this.#isOver) over()
  }

  heard(event: string | symbol, args: readonly unknown[]): void {
    const isHeard = this.#events?.(event, args) === true
    if (event === 'error' && !isHeard) this.unheard(args[0])
  }

  /** Of an error that nobody listens to. */
  unheard(error: unknown): void {
    log('an error event that nobody listens to: %s', (error as Error).message)
  }

  end(): void {
    this.#isOver = true
    this.#over?.()
  }
}
