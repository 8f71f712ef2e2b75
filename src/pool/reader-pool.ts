import pg from 'pg'
import type { Client } from 'pg'
import { checkAlive } from '../client/alive'
import { hideOptions } from '../client/hide-secrets'
import { now } from '../runtime/clock'
import { abortReason } from './checkout-errors'
import { RetiredError } from './clients'
import type { Clients } from './clients'
import { isMarkedText } from './marked-text'
import { cutSocket, isGone, sessionBegun } from './session'
import type { Session } from './session'
import type { Call, CheckoutCallback } from './ticket'

/** What one reader pool needs of those around it. */
export interface ReaderPoolPort {
  /** The book of all readers' sessions. */
  readonly clients: Clients
  readonly aliveCheckMillis: number
  readonly aliveTimeoutMillis: number
  /** An idle client did not answer. */
  dead(session: Session): void
  /** The error of a client that will not do, for which its caller is not to blame. */
  inVain(): Error
  /** Something that pg-pool emits. */
  heard(event: string | symbol, args: readonly unknown[]): void
}

/** Whether a session will do for a statement; it is sent nothing otherwise. */
export type Fits = (session: Session) => boolean

/** The sessions of one host that reads go to: a plain pool of pg's, whose clients are looked at before they are handed out. */
export class ReaderPool extends pg.Pool {
  readonly #port: ReaderPoolPort
  #nextCall: Call | undefined
  /** Its host has left: told when nothing is left here. */
  #left: (() => void) | undefined
  #nextFits: Fits | undefined

  constructor(options: object, port: ReaderPoolPort) {
    super(options)
    this.#port = port
    hideOptions(this.options)
  }

  /** Callers that have a client, are being connected or wait for one. */
  get inFlight(): number {
    return this.totalCount - this.idleCount + this.waitingCount
  }

  /** Clients that can be had without standing in line. */
  get spare(): number {
    return this.options.max - this.inFlight
  }

  /** One attempt of a statement, by pg-pool's own `query`. `call` is given its session. */
  run(
    call: Call,
    text: unknown,
    values: unknown,
    callback: (error: unknown, result?: unknown) => void,
    fits?: Fits,
  ): void {
    this.#nextCall = call
    this.#nextFits = fits
    if (isMarkedText(text)) super.query(text.text, (values || text.values) as never, callback as never)
    else super.query(text as never, values as never, callback as never)
    this.#nextCall = undefined
    this.#nextFits = undefined
  }

  override connect(callback?: unknown): never {
    const [call, fits] = [this.#nextCall, this.#nextFits]
    this.#nextCall = undefined
    this.#nextFits = undefined
    const told = callback as CheckoutCallback
    super.connect(((error: Error | undefined, client: pg.PoolClient | undefined) => {
      this.#mindLeaving()
      if (client === undefined) told(error)
      else this.#handOut(client, call, told, fits)
    }) as never)
    return undefined as never
  }

  /** Ends when nobody has a client or waits for one; whoever sends knows that nobody is to come any more. `left` is told then. */
  leave(left: () => void): void {
    this.#left = left
    this.#mindLeaving()
  }

  #mindLeaving(): void {
    if (this.#left === undefined) return
    // pg-pool may be in the middle of something.
    process.nextTick(() => {
      if (this.#left === undefined || this.ending || this.totalCount > 0 || this.waitingCount > 0) return
      this.#left()
      this.#left = undefined
      void super.end()
    })
  }

  #handOut(client: pg.PoolClient, call: Call | undefined, told: CheckoutCallback, fits: Fits | undefined): void {
    const session = sessionBegun(client)
    const at = now()
    if (isGone(session)) return this.#dismiss(client, told)
    if (at - session.usedAt > this.#port.aliveCheckMillis) {
      checkAlive(client, this.#port.aliveTimeoutMillis, (alive) => {
        if (!alive) this.#port.dead(session)
        if (!alive || isGone(session)) return this.#dismiss(client, told)
        this.#serve(client, session, call, told, fits)
      })
      return
    }
    this.#serve(client, session, call, told, fits)
  }

  #serve(
    client: pg.PoolClient,
    session: Session,
    call: Call | undefined,
    told: CheckoutCallback,
    fits: Fits | undefined,
  ): void {
    session.usedAt = now()
    if (call === undefined) return told(undefined, client, client.release)
    if (call.signal?.aborted === true) {
      client.release()
      return told(abortReason(call.signal))
    }
    if (fits?.(session) === false) {
      client.release()
      return told(this.#port.inVain())
    }
    call.session = session
    session.onStatement = true
    told(undefined, client, client.release)
  }

  #dismiss(client: pg.PoolClient, told: CheckoutCallback): void {
    client.release(new RetiredError())
    cutSocket(client)
    told(this.#port.inVain())
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event === 'release') sessionBegun(args[1] as Client).onStatement = false
    if (this.#port.clients.heard(event, args)) this.#port.heard(event, args)
    if (event === 'remove') this.#mindLeaving()
    return true
  }
}
