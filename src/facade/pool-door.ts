import type pg from 'pg'
import type { Client } from 'pg'
import { hideClientOf, hideOptions } from '../client/hide-secrets'
import type { FollowOptions } from '../client/conninfo/follow-options'
import { connectionOf } from '../client/pg-internals'
import { observeSession } from '../client/session-news'
import { noEvidence } from '../core/outcome/evidence'
import { formatPosition } from '../core/selection/position'
import { initialTopology } from '../core/topology/state'
import { onceWayOf, runExactlyOnce } from '../execution/exactly-once'
import type { OnceWay } from '../execution/exactly-once'
import { recapture, runQueryPromise } from '../execution/run-query'
import type { QueryCallback, QueryPort, StatementMarks } from '../execution/run-query'
import { runTransaction } from '../execution/transaction'
import { ConnInfoError } from '../errors'
import type { TransactionFunction, TransactionPort } from '../execution/transaction'
import type { TransactionOptions } from '../execution/transaction-options'
import { WitnessProof } from '../execution/witness-proof'
import { Checkout } from '../pool/checkout'
import { afterEnd } from '../pool/checkout-errors'
import { Clients, RetiredError } from '../pool/clients'
import { longestHold } from '../pool/deadlines'
import { Listening } from '../pool/listening'
import { whenIdle } from '../pool/pause'
import type { PauseOptions } from '../pool/pause'
import { beginSession, noteNews, sessionOf } from '../pool/session'
import type { Session } from '../pool/session'
import type { ListenHandler, Subscription } from '../pool/subscription'
import { beginCall } from '../pool/ticket'
import type { Call, CheckoutCallback } from '../pool/ticket'
import { now } from '../runtime/clock'
import { createLog } from '../runtime/log'
import { FailoverStory } from '../telemetry/failover-story'
import { takeSnapshot } from '../topology/snapshot'
import type { TopologySnapshot } from '../topology/snapshot'
import { Following } from './following'
import type { GuessedReads } from './guessed-reads'
import type { InheritedPool } from './inherited-pool'
import { checkListen, plainListenPort } from './listen-port'
import { callbackOf, queryBy, valuesOf } from './query-forms'
import { asksToRead } from './read-request'
import { ReplicaPool } from './replica-pool'
import { readSettings } from './settings'
import { createTransactionPort } from './transaction-port'

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
  readonly #resumeListeners = new Set<() => void>()
  /** `end()` was called, and waits for those who are served still. */
  #draining = false
  /** Where nothing is followed: holds callers while the pool is paused. Made by the first pause. */
  #pausing: Checkout | undefined
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
    const checkout = this.#following?.checkout ?? this.#pausing
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
    if (following !== undefined && asksToRead(text)) port = following.reads.portFor(text)
    else if (!isGuessed && !this.#pool.ending && following?.guessed?.isRead(text) === true) {
      return this.#queryGuessed(following.guessed, text, values, callback)
    } else if (this.#exactlyOnce || isMarkedOnce(text)) {
      const way = isMarkedOnce(text) ? 'marked' : onceWayOf(text)
      if (way !== undefined) return this.#queryOnce(text, values, callback, way)
    }
    const goesAsEver = !(port instanceof Error) && (typeof text === 'function' || this.#pool.ending)
    if (port === undefined || goesAsEver) return this.#inherited.query(text, values, callback)
    return queryBy(port, this.#Promise, text, values, callback)
  }

  /** `pool.position`. */
  async position(): Promise<string> {
    const position = await this.#mustFollow('position()').askPosition()
    if (position === undefined) throw new Error('pool.position(): the server does not tell where it is')
    return formatPosition(position)
  }

  /** `pool.readOnly`. */
  get readOnly(): ReplicaPool {
    return (this.#replicas ??= new ReplicaPool(this.#pool.options, this.#mustFollow('readOnly').reads))
  }

  #mustFollow(what: string): Following {
    if (this.#following !== undefined) return this.#following
    throw new ConnInfoError(`pool.${what}: this pool has one host and follows nobody; list all hosts of the cluster`)
  }

  #queryGuessed(guessed: GuessedReads, text: unknown, values: unknown, callback: unknown): unknown {
    const given = valuesOf(values)
    const answered = runQueryPromise(guessed.port, text, given).catch((error: unknown) => {
      if (!guessed.leaderDecides(error, text)) throw error
      return this.query(text, given, undefined, true)
    })
    return this.#tell(answered, callbackOf(values, callback))
  }

  #queryOnce(text: unknown, values: unknown, callback: unknown, way: OnceWay): unknown {
    const answered = runExactlyOnce(this.#transactionPort(), text, valuesOf(values), way).catch(recapture)
    return this.#tell(answered, callbackOf(values, callback))
  }

  /** In the form that the caller used. */
  #tell(answered: Promise<unknown>, told: QueryCallback | undefined): unknown {
    if (told === undefined) return this.#Promise === Promise ? answered : this.#Promise.resolve(answered)
    // A user's callback runs outside of the promise: what it throws is not ours to swallow.
    void answered.then(
      (result) => process.nextTick(told, undefined, result),
      (error: unknown) => process.nextTick(told, error),
    )
    return undefined
  }

  #transactionPort(): TransactionPort {
    return (this.#transactions ??= this.#createTransactionPort())
  }

  transaction<T>(work: TransactionFunction<T>, options: TransactionOptions | undefined): Promise<T> {
    return runTransaction(this.#transactionPort(), work, options)
  }

  /** Where nothing is followed there is nobody to hold callers, and nothing was seen that could prove anything. */
  #createTransactionPort(): TransactionPort {
    if (this.#following !== undefined) return this.#following.transactions
    const pool = this.#pool
    const [host] = this.#follow.hosts
    const source = {
      connect: (_call: Call, callback: CheckoutCallback) => pool.connect(callback as never),
      session: (client: Client) => sessionOf(client) ?? this.#beginSession(client, host?.key ?? client.host),
    }
    return createTransactionPort(source, {
      stillSuitable: () => Promise.resolve(true),
      evidence: noEvidence,
      historySince: 0,
      timeline: undefined,
      get ending() {
        return pool.ending
      },
      lookUpMillis: longestHold({ connectionTimeoutMillis: undefined, failoverTimeoutMillis: undefined }),
      story: new FailoverStory(() => undefined),
      proof: new WitnessProof(),
    })
  }

  /** Where nothing is followed the first one who listens makes the session. */
  async listen(channel: string, handler: ListenHandler): Promise<Subscription> {
    checkListen(channel, handler)
    if (this.#draining || this.#pool.ending) throw new Error(afterEnd)
    if (this.#following !== undefined) return this.#following.listen(channel, handler)
    this.#listening ??= new Listening(plainListenPort(this.#pool, this.#follow))
    return this.#listening.listen(channel, handler)
  }

  #beginSession(client: Client, host: string): Session {
    const session = beginSession(client, host, 0, now())
    observeSession(connectionOf(client), new Map(), (news) => noteNews(session, news, now()))
    this.#clients.adopted(client)
    return session
  }

  end(callback: Callback | undefined): unknown {
    if (this.#pool.ending) return this.#inherited.end(callback)
    if (this.#draining) return this.#refuseSecondEnd(callback)
    const end = (): unknown => {
      const readersEnded = this.#following?.end()
      this.#pausing?.end()
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

  async pause(options: PauseOptions = {}): Promise<void> {
    const checkout = this.#checkout()
    // Whoever paused first decides when it goes on.
    const wasPaused = checkout.paused
    checkout.pause()
    this.#following?.reads.readers.pause()
    const stops: (() => void)[] = []
    const onResume = (stop: () => void): void => {
      stops.push(stop)
      this.#resumeListeners.add(stop)
    }
    const readers = this.#following?.reads.clients
    const books = readers === undefined ? [this.#clients] : [this.#clients, readers]
    try {
      await Promise.all(books.map((clients) => whenIdle(clients, options, onResume)))
    } catch (error) {
      if (!wasPaused) this.#goOn()
      throw error
    } finally {
      for (const stop of stops) this.#resumeListeners.delete(stop)
    }
  }

  #goOn(): void {
    ;(this.#following?.checkout ?? this.#pausing)?.resume()
    this.#following?.reads.readers.resume()
  }

  resume(): void {
    this.#goOn()
    for (const resumed of [...this.#resumeListeners]) resumed()
  }

  /** Whether callers come in by our door; if not, straight through pg-pool. */
  #holds(): boolean {
    if (this.#following !== undefined) return true
    return this.#pausing !== undefined && (this.#pausing.paused || this.#pausing.waiting > 0)
  }

  #enter(callback: CheckoutCallback): void {
    if (this.#following !== undefined) this.#following.connect(callback)
    else this.#pausing?.enter(beginCall(now()), callback)
  }

  #checkout(): Checkout {
    if (this.#following !== undefined) return this.#following.checkout
    return (this.#pausing ??= this.#makePausing())
  }

  #makePausing(): Checkout {
    const pool = this.#pool
    const checkout = new Checkout(
      {
        request: (callback) => this.#inherited.connect(callback),
        get max() {
          return pool.options.max
        },
        get idleCount() {
          return pool.idleCount
        },
        limits: { connectionTimeoutMillis: this.#follow.connectTimeoutMillis, failoverTimeoutMillis: undefined },
        maxWaiting: Infinity,
        aliveCheckMillis: Infinity,
        aliveTimeoutMillis: Infinity,
        available: () => true,
        successors: () => 0,
        explain: () => [],
        obstacle: () => undefined,
        suitable: () => true,
        trusted: () => true,
        blames: () => 'caller',
        dead: () => undefined,
        adopt: (_client, callback) => callback(true),
        held: () => undefined,
      },
      this.#clients,
      new FailoverStory(() => undefined),
    )
    checkout.update()
    return checkout
  }

  /** The kind of promise that the application wants. */
  get #Promise(): PromiseConstructor {
    return (this.#pool as unknown as { Promise: PromiseConstructor }).Promise
  }
}

function isMarkedOnce(query: unknown): boolean {
  return typeof query === 'object' && query !== null && (query as StatementMarks).exactlyOnce === true
}

function once(act: () => unknown): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    act()
  }
}
