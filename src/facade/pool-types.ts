import type pg from 'pg'
import type { StatementParser } from '../core/routing/statement-parser'
import type { Authority } from '../discovery/authority'
import type { Discovery } from '../discovery/discovery'
import type { StatementMarks } from '../execution/run-query'
import type { ClientOptions } from './client'
import type { OutcomeTable } from './outcome-option'

/** Times of the monitors that watch the hosts of a pool, in milliseconds. */
export interface MonitorOptions {
  /** Between two questions to one host while all is well. Default: 1000. */
  readonly intervalMillis?: number
  /**
   * The same, with jitter, while there is no leader or somebody waits: between two attempts to connect. A session that
   * stands already is asked every 10 ms, every 3 while somebody waits, or at this interval if it is shorter. Default: 25.
   */
  readonly leaderlessIntervalMillis?: number
  /** How long a host may take to answer before it counts as lost. Default: 1000. */
  readonly timeoutMillis?: number
}

/** How the reads of a pool are spread over its standbys. */
export interface ReadOptions {
  /** Clients per host. Default: the pool's `max`. */
  readonly max?: number
  /**
   * A standby that is further behind the leader is not read from, in milliseconds: how long ago the leader stood where it stands.
   * One that is cut off falls behind as soon as the leader writes; of one of which it is not known it is not read from. At most an hour. Default: no limit.
   */
  readonly maxLagMillis?: number
  /** The same in bytes of WAL. Default: no limit. */
  readonly maxLagBytes?: number
  /**
   * `least-requests`: of two hosts, drawn at random, the one with fewer requests under way. All of them by the hosts' `weight`.
   * Default: `least-requests`.
   */
  readonly loadBalance?: 'least-requests' | 'round-robin' | 'random'
  /** Hosts that take longer to answer the monitor than the fastest by more than this are left out, in milliseconds. Default: 25; Infinity: none. */
  readonly latencyWindowMillis?: number
  /** Groups of tags, the preferred one first: `[{ zone: 'a' }]`. If nobody has the tags of any, all hosts are the same. Default: none. */
  readonly tags?: readonly Readonly<Record<string, string>>[]
  /**
   * Where reads go while no standby will do. `primary`: to the leader, in sessions that refuse to write. `error`: nowhere, they wait for
   * a standby for as long as `failoverTimeoutMillis` says. Default: `primary`.
   */
  readonly fallback?: 'primary' | 'error'
  /**
   * How long a read waits for a standby that has not replayed what it has to see (`session()`, `after`), before it goes to the leader, in
   * milliseconds. Default: 100.
   */
  readonly consistencyWaitMillis?: number
  /**
   * Which statements are reads. `marked`: what is marked. `parsed`: also those of `pool.query` that nobody has marked and that `parser` knows to
   * be reads, outside of `primary()` and of transactions; where there is no standby they go to the leader as ever. Sessions that read are not
   * those that write: they know the settings that the options give them, and `onConnect`; not what a listener of the pool's `connect` or a
   * statement has SET, and no temporary table. Default: `marked`.
   */
  readonly routeReads?: 'marked' | 'parsed'
  /** With `routeReads: 'parsed'`: what `loadParser()` of `pg-leader/parser` gives. */
  readonly parser?: StatementParser
}

/**
 * All of pg's options of a pool, and ours. Giving any of ours, or several hosts, makes the pool follow. With one host, a
 * name that moves with the leader for example, it follows whatever answers there, as in libpq: set `targetSessionAttrs` to
 * `read-write` to be held while that is a standby.
 */
export interface PoolConfig extends Omit<pg.PoolConfig, 'port'>, Omit<ClientOptions, keyof pg.ClientConfig> {
  /** One port for all hosts, or a list `'5432,5433'` that pairs with `host`. Default: 5432. */
  port?: number | string | undefined
  /**
   * The longest time a caller is held for want of a suitable host, in milliseconds. Default: `connectionTimeoutMillis`
   * if that is set (and then it is one deadline for everything), else 60000.
   */
  failoverTimeoutMillis?: number | undefined
  /** How many callers are held for want of a host; the next is refused at once. Default: 10000. */
  maxWaiting?: number | undefined
  /**
   * Statements of `pool.query` are executed exactly once where that can be had, without being marked: INSERT, UPDATE, DELETE
   * and MERGE as with the mark of the same name, SELECT, WITH, VALUES and TABLE with the part of it that costs nothing. All
   * else, and what is marked `exactlyOnce: false`, `readOnly` or `idempotent`, goes as ever. Default: false.
   */
  exactlyOnce?: boolean | undefined
  /**
   * `witness`: a COMMIT (or END) that anybody sends on a client of this pool carries a witness, as those of
   * `pool.transaction` do, and is looked up on the leader if its answer does not come: then it succeeds as if nothing had
   * happened, or fails with TransactionRolledBackError or OutcomeUnknownError. No round trip more, and nothing at all for
   * transactions that only read; a new session is asked one question more. For query builders and ORMs that manage their own
   * transactions: a ROLLBACK that they send after such an error fails with the same one, so that it is not lost. Not in pg's
   * pipeline mode. An instrumentation that rewrites statements keeps the witness away; a lost COMMIT is then unknown.
   *
   * `{ table: 'name' }`: each transaction writes a row with an id of ours into that table instead, its marker, and is looked up
   * by that: for poolers, proxies and products that let no witness be of use, and exact whatever happened to servers and
   * network. The same transactions as with `witness` carry it, those of `pool.transaction` and `exactlyOnce` too, in the same
   * messages; those that only read write none. What a look-up does not find can never be committed afterwards. Two
   * round trips instead of one has the COMMIT of a transaction that is READ ONLY and of somebody else's (the server refuses
   * the marker, and has that in its log). Nothing creates the table: see `outcomeTable`. Where it cannot be written to, new
   * connections and `pool.transaction` fail with ConnInfoError; a COMMIT sent after SET ROLE to a role that may not write there
   * goes without. Where `search_path` points is of no matter.
   *
   * Default: what pg says.
   */
  outcome?: 'witness' | OutcomeTable | undefined
  /** How reads are spread: what is marked as one, in whatever way, and `pool.readOnly`. */
  readOnly?: ReadOptions | undefined
  /**
   * What reads see inside of `session()`. `session`: whatever the session has written, and nothing older than what it has read.
   * `eventual`: what the host has that they go to, as outside of it. Default: `session`.
   */
  consistency?: 'eventual' | 'session' | undefined
  /** How the hosts are watched. `false`: only when something happened. */
  monitor?: MonitorOptions | false | undefined
  /**
   * A client that was last handed out longer ago is asked whether its server still answers before it is handed out
   * again. Default: 1000; 0: always, Infinity: never.
   */
  aliveCheckMillis?: number | undefined
  /**
   * Has to confirm the leader: a primary that it does not name is not written to, nor one whose lease is over; then every
   * session there is cut. Default: none, the servers' own answers decide.
   */
  authority?: Authority | undefined
  /**
   * Who lists the hosts of the cluster while the pool runs. The pool's own hosts stand in for the list of each source until that has
   * answered; from then on the list is what all sources said last. With it `targetSessionAttrs` is `read-write` by default, also for one host. A host that joins is asked at once and
   * used as soon as it is found fit; of one that leaves idle sessions are closed, and those in use when they are given back. What a source says of
   * `weight` and `tags` takes effect at once. Sessions on other hosts are not touched. Default: none, the list stays as it is.
   */
  discovery?: readonly Discovery[] | undefined
}

/** A statement with our marks beside pg's own options. */
export type MarkedQuery<T extends pg.QueryConfig | pg.QueryArrayConfig = pg.QueryConfig> = T & StatementMarks

/** What `pool.query` takes beside all of pg's forms. */
export interface MarkedQueryForms {
  /** With `rowMode: 'array'`: each row an array. */
  <R extends unknown[] = unknown[]>(
    query: MarkedQuery<pg.QueryArrayConfig>,
    values?: unknown[],
  ): Promise<pg.QueryArrayResult<R>>
  /** Each row an object. */
  <R extends pg.QueryResultRow = pg.QueryResultRow>(query: MarkedQuery, values?: unknown[]): Promise<pg.QueryResult<R>>
}

/** What listeners of `splitBrain` are told: these hosts all claim the lead, on one timeline. */
export interface SplitBrainEvent {
  /** Their entries in the host list, `host:port`. */
  readonly hosts: readonly string[]
  /** The one of them that is followed still; undefined if none is. */
  readonly leader: string | undefined
}
