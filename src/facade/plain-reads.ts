import pg from 'pg'
import type { Client } from 'pg'
import { copyOptions } from '../client/copy-options'
import { hideClient, hideOptions } from '../client/hide-secrets'
import { guardClient } from '../client/read-only-session'
import type { QueryPort } from '../execution/run-query'
import { interceptQueries } from '../pool/bound-client'
import { Clients } from '../pool/clients'
import type { Call, CheckoutCallback } from '../pool/ticket'
import { FailoverStory } from '../telemetry/failover-story'
import { PlainPausing } from './plain-pausing'
import { readRoute } from './read-request'
import { ReaderView } from './read-source'
import type { ReadSource } from './read-source'
import { refuseWrites } from './refusals'

/**
 * The reads of a pool that follows nobody: on the one host that there is, which has all that there is, in sessions that refuse to
 * write. So a wrong mark is found out where there is one server as well. Nothing is watched, held or sent again.
 */
export class PlainReads implements ReadSource {
  readonly clients = new Clients()
  readonly view = new ReaderView()
  readonly Client: typeof Client
  readonly #pool: PlainReaderPool
  readonly #queries: QueryPort

  constructor(pool: pg.Pool, connectTimeoutMillis: number | undefined) {
    this.Client = guardedClient((pool as unknown as { readonly Client: typeof Client }).Client)
    const options = copyOptions(pool.options, { Client: this.Client })
    const readers = new PlainReaderPool(options, this.clients, this.view, connectTimeoutMillis)
    this.#pool = readers
    this.#queries = {
      // A call that is given no session is not looked at again: what pg-pool says is the answer.
      attempt: (_call, text, values, callback) => readers.query(text as never, values as never, callback as never),
      stillSuitable: () => Promise.resolve(true),
      generation: 0,
      get ending() {
        return readers.ending
      },
      story: new FailoverStory(() => undefined),
      readOnly: true,
    }
  }

  get pools(): readonly pg.Pool[] {
    return [this.#pool]
  }

  get held(): number {
    const { line } = this.#pool.pausing
    return line === undefined ? 0 : Math.max(line.held, line.waiting - line.requests)
  }

  portFor(query: unknown): QueryPort | Error {
    const route = readRoute(query)
    return route instanceof Error ? route : this.#queries
  }

  connect(_call: Call, callback: CheckoutCallback): void {
    this.#pool.connect(callback)
  }

  pause(): void {
    this.#pool.pausing.checkout.pause()
  }

  resume(): void {
    this.#pool.pausing.line?.resume()
  }

  end(): Promise<void> {
    this.view.end()
    this.#pool.pausing.line?.end()
    return this.#pool.end()
  }
}

/** Their sessions. */
class PlainReaderPool extends pg.Pool {
  readonly #clients: Clients
  readonly #view: ReaderView
  readonly pausing: PlainPausing

  constructor(options: object, clients: Clients, view: ReaderView, connectTimeoutMillis: number | undefined) {
    super(options)
    this.#clients = clients
    this.#view = view
    const connect = (callback: CheckoutCallback): void => super.connect(callback as never)
    this.pausing = new PlainPausing(this, clients, connect, connectTimeoutMillis)
    hideOptions(this.options)
  }

  override connect(callback?: unknown): never {
    const told = callback as CheckoutCallback
    if (this.pausing.holds && !this.ending) this.pausing.enter(told)
    else super.connect(told as never)
    return undefined as never
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (this.#clients.heard(event, args)) this.#view.heard(event, args)
    return true
  }
}

/** The clients of a pool, as they are but for what keeps them from writing. */
function guardedClient(Base: typeof Client): typeof Client {
  const Guarded = class extends (Base as new (...args: unknown[]) => object) {
    constructor(...args: unknown[]) {
      super(...args)
      guardClient(this as unknown as Client)
    }
  }
  interceptQueries(Guarded.prototype, Base, refuseWrites)
  hideClient(Guarded.prototype)
  return Object.defineProperty(Guarded, 'name', { value: Base.name }) as unknown as typeof Client
}
