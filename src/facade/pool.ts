import pg from 'pg'
import { resolveOptions } from '../client/conninfo/resolve-options'
import type { FollowOptions } from '../client/conninfo/follow-options'
import type { TransactionFunction } from '../execution/transaction'
import type { TransactionOptions } from '../execution/transaction-options'
import type { PauseOptions } from '../pool/pause'
import type { ListenEvent, ListenHandler, Subscription } from '../pool/subscription'
import type { CheckoutCallback } from '../pool/ticket'
import type { FailoverEvent } from '../telemetry/failover-story'
import type { TopologySnapshot } from '../topology/snapshot'
import { Client } from './client'
import type { InheritedPool } from './inherited-pool'
import { PoolDoor } from './pool-door'
import { warnOfSecondCopy } from './second-copy'
import type { MarkedQueryForms, PoolConfig, SplitBrainEvent } from './pool-types'

type Callback = (...args: unknown[]) => void
type Members = Pick<Pool, 'listen' | 'pause' | 'position' | 'readOnly' | 'resume' | 'topology' | 'transaction'>

/**
 * Behind the exported `Pool` stands a subclass of the application's own `pg.Pool`: whoever tests `instanceof`, patches the
 * prototype or calls `super` finds what it expects. It has no state but its door.
 */
class LeaderPool extends pg.Pool implements Members {
  readonly #door: PoolDoor

  constructor(config?: PoolConfig) {
    // Options are judged before pg-pool sees them, by their names and never by a later surprise.
    refuseText(config)
    const follow: FollowOptions | undefined = isOptions(config) ? resolveOptions(config) : undefined
    super(config as pg.PoolConfig | undefined)
    warnOfSecondCopy()
    const methods: InheritedPool = {
      connect: (callback) => (callback === undefined ? super.connect() : super.connect(callback as never)),
      query: (text, values, callback) => super.query(text as never, values as never, callback as never),
      end: (callback) => (callback === undefined ? super.end() : super.end(callback)),
      emit: (event, detail) => super.emit(event, detail),
    }
    const self = this as unknown as { Client: typeof pg.Client }
    if (follow?.plain === true && self.Client === pg.Client) self.Client = Client
    const options = (follow === undefined ? {} : (config ?? {})) as Readonly<Record<string, unknown>>
    this.#door = new PoolDoor(this, follow ?? resolveOptions({}), options, methods)
  }

  override connect(callback?: unknown): never {
    return this.#door.connect(callback as CheckoutCallback | undefined) as never
  }

  override query(text?: unknown, values?: unknown, callback?: unknown): never {
    return this.#door.query(text, values, callback) as never
  }

  override end(callback?: unknown): never {
    return this.#door.end(callback as Callback | undefined) as never
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    // `args` is read where it has been filled only: this is on the way of every statement.
    if (event === 'acquire') this.#door.acquired(args[0] as pg.Client)
    else if (event === 'release') this.#door.released(args[1] as pg.Client)
    else if (this.#door.swallows(event, args)) return false
    return this.listenerCount(event) > 0 && super.emit(event, ...args)
  }

  get topology(): TopologySnapshot {
    return this.#door.topology
  }

  get readOnly(): pg.Pool {
    return this.#door.readOnly
  }

  transaction<T>(work: TransactionFunction<T>, options?: TransactionOptions): Promise<T> {
    return this.#door.transaction(work, options)
  }

  listen(channel: string, handler: ListenHandler): Promise<Subscription> {
    return this.#door.listen(channel, handler)
  }

  position(): Promise<string> {
    return this.#door.position()
  }

  pause(options?: PauseOptions): Promise<void> {
    return this.#door.pause(options)
  }

  resume(): void {
    this.#door.resume()
  }

  static {
    // pg-pool has a getter there, which its type declarations call a property.
    const inherited = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(pg.Pool.prototype), 'waitingCount')
    Object.defineProperty(this.prototype, 'waitingCount', {
      configurable: true,
      get(this: LeaderPool): number {
        return this.#door.waitingCount(inherited?.get?.call(this) as number)
      },
    })
  }
}

/** A TypeError as in pg-pool, which quotes the string, password and all. */
function refuseText(config: unknown): void {
  if (typeof config !== 'string') return
  throw new TypeError('Pool takes an object of options, not a string; a connection string is its connectionString')
}

/** What is no string and no object either is for pg-pool to refuse, in its own words. */
function isOptions(config: unknown): boolean {
  return config === undefined || config === null || typeof config === 'object'
}

/**
 * `pg.Pool` that follows the leader. With one host and none of our options it is exactly pg's; with several it keeps its
 * connections on the leader, holds callers while there is none, moves to the next one, and sends again what is safe to
 * send again.
 *
 * @throws ConnInfoError from the constructor for options that cannot be used. `connect` and `query` reject with
 * HostSelectionTimeoutError (no suitable host in time), WaitQueueFullError (too many wait), OutcomeUnknownError (a
 * statement that was sent and whose fate was not told), or what pg and the server say.
 * @example
 * ```ts
 * import { Pool } from 'pg-leader'
 * const pool = new Pool({ connectionString: 'postgres://app@db1,db2,db3/shop' })
 * pool.on('failover', ({ from, to, leaderlessMillis }) => console.log(`${from} to ${to} in ${leaderlessMillis} ms`))
 * const { rows } = await pool.query({ text: 'select * from orders where id = $1', values: [1], readOnly: true })
 * console.log(rows, pool.topology.leader)
 * await pool.end()
 * ```
 */
export interface Pool extends pg.Pool {
  /**
   * All of pg's forms, and a statement with marks: `readOnly`, `idempotent`, `signal`. What is sent again after a lost
   * connection, and what never is, says the README's table.
   */
  readonly query: MarkedQueryForms & pg.Pool['query']
  /** Something that the snapshot shows has changed. */
  on(event: 'topology', listener: (topology: TopologySnapshot) => void): this
  /** Somebody else leads, or the same host after a restart; told when the last caller that was held has been served. */
  on(event: 'failover', listener: (failover: FailoverEvent) => void): this
  /**
   * Several hosts claim the lead on one timeline: the present leader is kept, if there is one, and none is elected. If nobody
   * listens, the process is warned (`PG_LEADER_SPLIT_BRAIN`).
   */
  on(event: 'splitBrain', listener: (splitBrain: SplitBrainEvent) => void): this
  /** pg-pool's own events. */
  on<K extends 'error' | 'release' | 'connect' | 'acquire' | 'remove'>(
    event: K,
    listener: K extends 'error' | 'release'
      ? (err: Error, client: pg.PoolClient) => void
      : (client: pg.PoolClient) => void,
  ): this
  /**
   * The replicas, as a pool of pg's: its queries and clients go to the standbys, each to one of those that will do, and refuse
   * to write wherever they are; the leader is taken where there is none. For an ORM's option for replicas. Its counts are sums
   * over the hosts (`max` is per host), pg-pool's events of all of them are its own, and its `end()` ends nothing but itself.
   * A client of its `connect()` stays on its host: there {@link UnsupportedStatementError} refuses what is one for the leader (advisory
   * locks, LISTEN, `pg_terminate_backend`, …), and nothing that is about its own session. With one host and none of our options all
   * goes to that one, in sessions of their own that refuse to write, and as in pg: nothing is watched, held or sent again.
   *
   * @example
   * ```ts
   * import { Pool } from 'pg-leader'
   * const pool = new Pool({ connectionString: 'postgres://app@db1,db2,db3/shop' })
   * const { rows } = await pool.readOnly.query('select count(*) from orders')
   * console.log(rows)
   * ```
   */
  readonly readOnly: pg.Pool
  /**
   * Where the leader is now: whatever was committed before lies behind it. For a read elsewhere that has to see it, in another
   * process too: `{ text, after: position }`, or `{ readOnly: true, after: position }` of a transaction; a cookie may carry it. After a failover the leader answers for positions of before.
   *
   * Rejects as a query does, and if the server does not tell (behind some poolers and on forks). With one host and none of our options it is
   * that one which is asked, and which refuses (55000) if it is a standby.
   *
   * @example
   * ```ts
   * import { Pool } from 'pg-leader'
   * const pool = new Pool({ connectionString: 'postgres://app@db1,db2,db3/shop' })
   * await pool.query('insert into orders (id) values (7)')
   * const after = await pool.position()
   * const { rows } = await pool.query({ text: 'select * from orders where id = 7', after })
   * console.log(after, rows)
   * ```
   */
  position(): Promise<string>
  /** A frozen picture of what is believed of the cluster now. */
  readonly topology: TopologySnapshot
  /**
   * Runs `work` as one transaction and resolves with its value once that is committed. BEGIN goes out together with a
   * witness (an id and a WAL position, one message, no round trip more), so that a COMMIT whose answer a dying server
   * still owed is looked up on the leader: the value if it was committed, another attempt if it was not. `work` is called
   * again, with a new client, where nothing of it can have been committed: the connection was lost before COMMIT, 40001,
   * 40P01, a host that does not lead any more. What it does outside of the transaction it has to be able to do twice.
   * Any error of `work` rolls back. The witness assigns a transaction id and takes the snapshot before `work` begins:
   * give the isolation as an option, SET TRANSACTION comes too late.
   *
   * Rejects with what `work` threw or the server said; OutcomeUnknownError if nobody can tell what became of the COMMIT;
   * TransactionRolledBackError if the attempts were used up; TransactionStateError for a transaction inside of another
   * one of the same pool, or a client that is used in a way that ends the transaction; ConnInfoError for an option.
   *
   * @example
   * ```ts
   * import { Pool } from 'pg-leader'
   * const pool = new Pool({ connectionString: 'postgres://app@db1,db2,db3/shop' })
   * const left = await pool.transaction(
   *   async (client) => {
   *     await client.query('insert into payments (account, cents) values ($1, $2)', [7, 1999])
   *     const { rows } = await client.query('select sum(cents) as cents from payments where account = $1', [7])
   *     return rows[0].cents
   *   },
   *   { isolation: 'serializable' },
   * )
   * console.log(left)
   * ```
   */
  transaction<T>(work: (client: pg.PoolClient) => T | Promise<T>, options?: TransactionOptions): Promise<T>
  /**
   * LISTENs on the leader, and on every leader after it: resolves when the server has accepted the subscription, which then
   * stands until it is closed or the pool ends. One session listens for all channels of a pool. It is not one of its `max`
   * clients, `pause()` does not wait for it, and like pg's it keeps the process alive. Whenever it is lost (failover,
   * restart, lost connection, a server that is silent) it is made anew, and then every handler that was subscribed is told
   * `{ type: 'gap' }` before anything else: what was notified meanwhile was not heard, so look at the tables. A first
   * subscription has no gap.
   *
   * `channel` is the name as it is, upper case and all: at most 63 bytes in UTF-8. Whatever `targetSessionAttrs` says, it is
   * the leader that is listened to: standbys refuse. Several handlers of one channel are called in the order in which they came, each in
   * the async context of its call of `listen`. What a handler throws ends the process, as in a listener of pg's, unless
   * somebody handles `uncaughtException`; the other handlers hear everything.
   *
   * Rejects with ConnInfoError for a name or handler that cannot be used; HostSelectionTimeoutError if there is no leader in
   * `failoverTimeoutMillis`; what the server said if it refused. With one host and none of our options it rejects with
   * whatever the first attempt to connect failed with, as `connect` does; a subscription that stands survives there as well.
   *
   * @example
   * ```ts
   * import { Pool } from 'pg-leader'
   * const pool = new Pool({ connectionString: 'postgres://app@db1,db2,db3/shop' })
   * const subscription = await pool.listen('orders', (event) => {
   *   if (event.type === 'gap') console.log(`read all orders of the last ${event.millis} ms and more: some may have been missed`)
   *   else console.log(`order ${event.payload}`)
   * })
   * await pool.query(`select pg_notify('orders', '42')`)
   * await subscription.close()
   * ```
   */
  listen(channel: string, handler: (event: ListenEvent) => void): Promise<Subscription>
  /**
   * Holds every new caller and resolves when every checked-out client has been released: for planned work on the
   * servers. Rejects, and goes on, if that takes longer than `timeoutMillis`. A caller is held no longer than
   * `failoverTimeoutMillis`. Work that holds a client and waits for another one waits for `resume`.
   */
  pause(options?: PauseOptions): Promise<void>
  /** Lets the held callers go on. */
  resume(): void
}

/** The class; what its instances are and do is said at the interface of the same name. */
export const Pool = Object.defineProperty(LeaderPool, 'name', { value: 'Pool' }) as unknown as {
  new (config?: PoolConfig): Pool
  readonly prototype: Pool
}
