import type pg from 'pg'
import type { Client } from 'pg'
import { hideClientOf, hideOptions } from '../client/hide-secrets'
import type { FollowOptions } from '../client/conninfo/follow-options'
import { formatPosition } from '../core/selection/position'
import type { Position } from '../core/selection/position'
import { initialTopology } from '../core/topology/state'
import { isMarkedOnce, onceWayOf, runExactlyOnce } from '../execution/exactly-once'
import type { OnceWay } from '../execution/exactly-once'
import { scopeNow } from '../execution/read-scope'
import { recapture, runQueryPromise } from '../execution/run-query'
import type { QueryPort } from '../execution/run-query'
import { runTransaction } from '../execution/transaction'
import type { TransactionFunction, TransactionPort } from '../execution/transaction'
import type { TransactionOptions } from '../execution/transaction-options'
import { afterEnd } from '../pool/checkout-errors'
import { Clients, RetiredError } from '../pool/clients'
import { positionQuestion, readPosition } from '../pool/host-positions'
import { Listening } from '../pool/listening'
import type { PauseOptions } from '../pool/pause'
import type { ListenHandler, Subscription } from '../pool/subscription'
import { beginCall } from '../pool/ticket'
import type { CheckoutCallback } from '../pool/ticket'
import { now } from '../runtime/clock'
import { createLog } from '../runtime/log'
import { takeSnapshot } from '../topology/snapshot'
import type { TopologySnapshot } from '../topology/snapshot'
import { Following } from './following'
import type { GuessedReads } from './guessed-reads'
import type { InheritedPool } from './inherited-pool'
import { checkListen, plainListenPort } from './listen-port'
import { Pausing } from './pausing'
import { PlainPausing } from './plain-pausing'
import { PlainReads } from './plain-reads'
import { plainTransactions } from './plain-transactions'
import { answerBy, callbackOf, queryBy, valuesOf } from './query-forms'
import { asksToRead } from './read-request'
import type { ReadSource } from './read-source'
import { ReplicaPool } from './replica-pool'
import { readSettings } from './settings'

const log = createLog('facade')

type Callback = (...args: unknown[]) => void

/**
 * Everything a pool does that pg-pool does not. Two doors lead here: the class that we export, and `wrap` around a pool
 * that exists already; `inherited` are the methods that were there before, bound to the pool.
 */
export class PoolDoor {
  readonly #pool: pg.Pool
  readonly #inherited: InheritedPool
  readonly #follow: FollowOptions
  readonly #clients = new Clients()
  readonly #following: Following | undefined
  readonly #pausing = new Pausing(this.#clients, () => ({
    checkout: this.#following?.checkout ?? this.#plainPausing.line,
    reads: this.#following?.reads ?? this.#plainReads,
  }))
  /** `end()` was called, and waits for those who are served still. */
  #draining = false
  /** Where nothing is followed: holds callers while the pool is paused. */
  readonly #plainPausing: PlainPausing
  /** The same: what serves its reads. Made when somebody reads. */
  #plainReads: PlainReads | undefined
  /** The same: what is asked of `connect` is for a statement or transaction of the pool's own, which is not a read. */
  #isOwn = false
  #transactions: TransactionPort | undefined
  /** Statements that can be are executed exactly once without being marked so. */
  readonly #exactlyOnce: boolean = false
  #listening: Listening | undefined
  #replicas: ReplicaPool | undefined

  /** `options`: as given, for our own among them. */
  constructor(
    pool: pg.Pool,
    follow: FollowOptions,
    options: Readonly<Record<string, unknown>>,
    inherited: InheritedPool,
  ) {
    this.#pool = pool
    this.#follow = follow
    this.#inherited = inherited
    hideOptions(pool.options)
    const connect = (callback: CheckoutCallback): unknown => inherited.connect(callback)
    this.#plainPausing = new PlainPausing(pool, this.#clients, connect, follow.connectTimeoutMillis)
    if (follow.plain) return
    const settings = readSettings(options, follow.connectTimeoutMillis)
    this.#exactlyOnce = settings.exactlyOnce
    this.#following = new Following(pool, this.#clients, follow, settings, inherited)
    ;(pool as unknown as { Client: typeof Client }).Client = this.#following.Client
  }

  /** Clients that this pool had before we came, and those of them that are checked out. */
  takeOver(clients: readonly Client[], busy: readonly Client[]): void {
    this.#following?.takeOver(clients, busy)
  }

  get topology(): TopologySnapshot {
    if (this.#following !== undefined) return this.#following.snapshot
    const rules = { lockoutMillis: Infinity, settleMillis: 0 }
    return takeSnapshot(
      initialTopology(
        this.#follow.hosts.map(({ key }) => key),
        rules,
      ),
      () => undefined,
    )
  }

  /** Callers of pg-pool's own queue, and those who wait at our door without having a request there. */
  waitingCount(inQueue: number): number {
    const checkout = this.#following?.checkout ?? this.#plainPausing.line
    if (checkout === undefined) return inQueue
    // Sessions made in advance are nobody's yet.
    if (checkout.held > 0) return checkout.waiting
    // A request whose ticket has expired may still stand in pg-pool's queue.
    return Math.max(0, checkout.waiting - checkout.requests) + Math.min(inQueue, checkout.waiting)
  }

  connect(callback: CheckoutCallback | undefined): unknown {
    const following = this.#following
    // pg-pool's own query comes by here, with a callback.
    if (following !== undefined && callback !== undefined && !this.#pool.ending) {
      following.connect(callback)
      return undefined
    }
    if (!this.#holds() || this.#pool.ending) return this.#inherited.connect(callback)
    if (callback !== undefined) {
      this.#enter(callback)
      return undefined
    }
    return new this.#Promise((resolve, reject) => {
      this.#enter((error, client) => (error ? reject(error) : resolve(client)))
    }).catch(recapture)
  }

  /** `isGuessed`: it was taken for a read, wrongly: it goes as if nobody had guessed. */
  query(text: unknown, values: unknown, callback: unknown, isGuessed = false): unknown {
    const following = this.#following
    let port: QueryPort | Error | undefined = following?.queries
    if (asksToRead(text)) port = this.#reads.portFor(text)
    else if (!isGuessed && !this.#pool.ending && following?.guessed?.isRead(text) === true) {
      return this.#queryGuessed(following.guessed, text, values, callback)
    } else if (this.#exactlyOnce || isMarkedOnce(text)) {
      const way = isMarkedOnce(text) ? 'marked' : onceWayOf(text)
      if (way !== undefined) return this.#queryOnce(text, values, callback, way)
    }
    const goesAsEver = !(port instanceof Error) && (typeof text === 'function' || this.#pool.ending)
    if (port === undefined || goesAsEver) return this.#queryInherited(text, values, callback)
    return queryBy(port, this.#Promise, text, values, callback)
  }

  /** `pool.position`. */
  async position(): Promise<string> {
    const position = await (this.#following?.askPosition() ?? this.#askPosition())
    if (position === undefined) throw new Error('pool.position(): the server does not tell where it is')
    return formatPosition(position)
  }

  /** `pool.readOnly`. */
  get readOnly(): ReplicaPool {
    return (this.#replicas ??= new ReplicaPool(this.#pool.options, this.#reads))
  }

  get #reads(): ReadSource {
    return this.#following?.reads ?? (this.#plainReads ??= this.#createPlainReads())
  }

  #createPlainReads(): PlainReads {
    const reads = new PlainReads(this.#pool, this.#follow.connectTimeoutMillis)
    if (this.#plainPausing.line?.paused === true) reads.pause()
    if (this.#pool.ending) void reads.end()
    return reads
  }

  async #askPosition(): Promise<Position | undefined> {
    const { rows } = await this.#pool.query<Record<string, string | null>>(positionQuestion)
    return readPosition(rows[0])
  }

  /** By pg-pool's own `query`, which asks `connect` for a client: not for one that reads, if this is not a read. */
  #queryInherited(text: unknown, values: unknown, callback: unknown): unknown {
    if (scopeNow() !== 'reads') return this.#inherited.query(text, values, callback)
    return this.#asOwn(() => this.#inherited.query(text, values, callback))
  }

  #asOwn<T>(act: () => T): T {
    this.#isOwn = true
    try {
      return act()
    } finally {
      this.#isOwn = false
    }
  }

  #queryGuessed(guessed: GuessedReads, text: unknown, values: unknown, callback: unknown): unknown {
    const given = valuesOf(values)
    const answered = runQueryPromise(guessed.port, text, given).catch((error: unknown) => {
      if (!guessed.leaderDecides(error, text)) throw error
      return this.query(text, given, undefined, true)
    })
    return answerBy(this.#Promise, answered, callbackOf(values, callback))
  }

  #queryOnce(text: unknown, values: unknown, callback: unknown, way: OnceWay): unknown {
    const answered = runExactlyOnce(this.#transactionPort(), text, valuesOf(values), way).catch(recapture)
    return answerBy(this.#Promise, answered, callbackOf(values, callback))
  }

  #transactionPort(): TransactionPort {
    return (this.#transactions ??= this.#createTransactionPort())
  }

  transaction<T>(work: TransactionFunction<T>, options: TransactionOptions | undefined): Promise<T> {
    return runTransaction(this.#transactionPort(), work, options)
  }

  #createTransactionPort(): TransactionPort {
    if (this.#following !== undefined) return this.#following.transactions
    const pool = this.#pool
    const connect = (callback: CheckoutCallback): void => this.#asOwn(() => pool.connect(callback as never))
    return plainTransactions(pool, this.#clients, this.#follow.hosts[0]?.key, connect)
  }

  /** Where nothing is followed the first one who listens makes the session. */
  async listen(channel: string, handler: ListenHandler): Promise<Subscription> {
    checkListen(channel, handler)
    if (this.#draining || this.#pool.ending) throw new Error(afterEnd)
    if (this.#following !== undefined) return this.#following.listen(channel, handler)
    this.#listening ??= new Listening(plainListenPort(this.#pool, this.#follow))
    return this.#listening.listen(channel, handler)
  }

  end(callback: Callback | undefined): unknown {
    if (this.#pool.ending) return this.#inherited.end(callback)
    if (this.#draining) return this.#refuseSecondEnd(callback)
    const end = (): unknown => {
      const readersEnded = this.#following?.end() ?? this.#plainReads?.end()
      this.#plainPausing.line?.end()
      this.#listening?.end()
      if (readersEnded === undefined) return this.#inherited.end(callback)
      const ended = Promise.all([this.#inherited.end(undefined), readersEnded])
      if (callback === undefined) return this.#Promise.resolve(ended.then(() => undefined))
      void ended.then(() => process.nextTick(callback))
      return undefined
    }
    let drained = (): unknown => undefined
    this.#draining = this.#following?.drain(() => drained()) === true
    if (!this.#draining) return end()
    if (callback !== undefined) {
      drained = once(end)
      return undefined
    }
    return new this.#Promise<unknown>((resolve) => {
      drained = once(() => resolve(end()))
    })
  }

  /** As pg-pool does, whose own end has not begun yet. */
  #refuseSecondEnd(callback: Callback | undefined): unknown {
    const error = new Error('Called end on pool more than once')
    if (callback === undefined) return this.#Promise.reject(error)
    callback(error)
    return undefined
  }

  /** What `emit` of the pool does first with an `acquire`. */
  acquired(client: Client): void {
    this.#clients.acquired(client)
  }

  /** What it does first with a `release`. */
  released(client: Client): void {
    this.#clients.released(client)
  }

  /** What it does first with all others. True if the event is not for the pool's listeners. */
  swallows(event: string | symbol, [first]: readonly unknown[]): boolean {
    if (event === 'remove') this.#clients.removed(first as Client)
    if (event !== 'error') return false
    if (first instanceof Error) hideClientOf(first)
    if (first instanceof RetiredError) return true
    if (this.#pool.listenerCount('error') > 0) return false
    log('an error event that nobody listens to: %s', first instanceof Error ? first.message : first)
    return true
  }

  pause(options: PauseOptions = {}): Promise<void> {
    return this.#pausing.pause(this.#following?.checkout ?? this.#plainPausing.checkout, options)
  }

  resume(): void {
    this.#pausing.resume()
  }

  /** Whether callers come in by our door; if not, straight through pg-pool. */
  #holds(): boolean {
    return this.#following !== undefined || this.#isForReaders || this.#plainPausing.holds
  }

  #enter(callback: CheckoutCallback): void {
    if (this.#following !== undefined) this.#following.connect(callback)
    else if (this.#isForReaders) this.#reads.connect(beginCall(now()), callback)
    else this.#plainPausing.enter(callback)
  }

  /** Where nothing is followed, and the code that runs now is inside of `readOnly()`. */
  get #isForReaders(): boolean {
    return !this.#isOwn && scopeNow() === 'reads'
  }

  /** The kind of promise that the application wants. */
  get #Promise(): PromiseConstructor {
    return (this.#pool as unknown as { Promise: PromiseConstructor }).Promise
  }
}

function once(act: () => unknown): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    act()
  }
}
