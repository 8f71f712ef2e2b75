/** Marks errors of ours across copies of this package, where `instanceof` would say no. */
const brand = Symbol.for('pg-leader.error')

/**
 * The root of every error this library makes itself. What a server answered passes through untouched: the same object
 * `pg` made of it.
 *
 * @example
 * ```ts
 * import { Pool, isPgLeaderError } from 'pg-leader'
 * const pool = new Pool()
 * pool.query('select 1').catch((error: unknown) => {
 *   if (isPgLeaderError(error)) console.error(error.code, error.message)
 * })
 * ```
 */
export class PgLeaderError extends Error {
  /** SQLSTATE of class 08 where one fits, else a name such as `CONNINFO`. */
  readonly code: string

  constructor(message: string, code: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = new.target.name
    this.code = code
    Object.defineProperty(this, brand, { value: new.target.name })
  }
}

/** A connection string, an option, a service file or an environment variable that cannot be used. Never shows a password. */
export class ConnInfoError extends PgLeaderError {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, 'CONNINFO', options)
  }
}

/** One host that was tried and why it would not do. */
export interface HostFailure {
  /** The entry of the host list, `host:port`. */
  readonly host: string
  /** The address that was dialled, where a name has several. */
  readonly address?: string
  /** What `pg`, the server or the socket said. */
  readonly error: Error
}

/**
 * `Client.connect()` walked over every host and none would do. `code` is the code that all attempts share, or else 08001;
 * `cause` is the last attempt's error.
 *
 * @example
 * ```ts
 * import { Client, isHostsUnreachableError } from 'pg-leader'
 * const client = new Client('postgres://app@db1,db2,db3/shop?target_session_attrs=read-write')
 * client.connect().catch((error: unknown) => {
 *   if (isHostsUnreachableError(error)) for (const { host, error: why } of error.failures) console.error(host, why.message)
 * })
 * ```
 */
export class HostsUnreachableError extends PgLeaderError {
  /** One entry an attempt, in the order of the walk. */
  readonly failures: readonly HostFailure[]

  constructor(message: string, code: string, failures: readonly HostFailure[]) {
    super(message, code, { cause: failures.at(-1)?.error })
    this.failures = failures
  }
}

/** Why a host was not used. */
export interface HostReason {
  /** Its entry in the host list, `host:port`. */
  readonly host: string
  /** In words: `is a standby (in recovery)`. */
  readonly reason: string
}

/**
 * A caller was held for want of a suitable host and its time was up. SQLSTATE 08001.
 *
 * @example
 * ```ts
 * import { Pool, isHostSelectionTimeoutError } from 'pg-leader'
 * const pool = new Pool({ connectionString: 'postgres://app@db1,db2,db3/shop', failoverTimeoutMillis: 30_000 })
 * pool.query('select 1').catch((error: unknown) => {
 *   if (isHostSelectionTimeoutError(error)) console.error(error.limit, error.waitedMillis, error.hosts)
 * })
 * ```
 */
export class HostSelectionTimeoutError extends PgLeaderError {
  /** The option whose time it was: `failoverTimeoutMillis` or `connectionTimeoutMillis`. */
  readonly limit: string
  /** How long this caller waited, in milliseconds. */
  readonly waitedMillis: number
  /** For each host why it was not used; empty if the pool was paused. If a primary answered all the same, `cause` explains. */
  readonly hosts: readonly HostReason[]

  constructor(
    message: string,
    detail: { limit: string; waitedMillis: number; hosts: readonly HostReason[]; cause?: unknown },
  ) {
    super(message, '08001', detail.cause === undefined ? undefined : { cause: detail.cause })
    this.limit = detail.limit
    this.waitedMillis = detail.waitedMillis
    this.hosts = detail.hosts
  }
}

/**
 * As many callers as `maxWaiting` allows are held already; this one is refused at once instead of being held as well.
 * SQLSTATE 08001.
 */
export class WaitQueueFullError extends PgLeaderError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, '08001', options.cause === undefined ? undefined : { cause: options.cause })
  }
}

/**
 * The `cause` of a {@link HostSelectionTimeoutError} or {@link WaitQueueFullError}: several hosts claimed the lead on one
 * timeline, so that nobody can tell whose history is the true one, and none of them is written to. Stop the wrong one; or
 * let an `authority` decide; or, if that is settled, call `pool.topology.reset()`.
 *
 * @example
 * ```ts
 * import { Pool, isSplitBrainError } from 'pg-leader'
 * const pool = new Pool({ connectionString: 'postgres://app@db1,db2,db3/shop' })
 * pool.query('select 1').catch((error: Error) => {
 *   if (isSplitBrainError(error.cause)) console.error('more than one primary:', error.cause.hosts)
 * })
 * ```
 */
export class SplitBrainError extends PgLeaderError {
  /** Their entries in the host list, `host:port`. */
  readonly hosts: readonly string[]

  constructor({ hosts }: { hosts: readonly string[] }) {
    const message =
      `${hosts.join(' and ')} have claimed the lead on one timeline: none of them is written to. ` +
      'Stop the wrong one, or decide with an authority or topology.reset()'
    super(message, 'SPLIT_BRAIN')
    this.hosts = hosts
  }
}

/**
 * The `cause` of a {@link HostSelectionTimeoutError} or {@link WaitQueueFullError}: a primary answers that is on an older
 * timeline than the cluster, so that what it writes is in no history that goes on. Make it a standby of the present
 * primary; after a restore, which lowers the timeline for good, call `pool.topology.reset()`.
 */
export class StalePrimaryError extends PgLeaderError {
  /** Its entry in the host list, `host:port`. */
  readonly host: string
  /** The timeline it is on. */
  readonly timeline: number
  /** The highest timeline that was seen of this cluster. */
  readonly clusterTimeline: number

  constructor(detail: { host: string; timeline: number; clusterTimeline: number }) {
    const { host, timeline, clusterTimeline } = detail
    const message =
      `${host} is a primary on timeline ${timeline}, and the cluster has gone on to timeline ${clusterTimeline}: it is not ` +
      'written to. Make it a standby of the present primary, or call topology.reset() if there is no newer one any more'
    super(message, 'STALE_PRIMARY')
    this.host = host
    this.timeline = timeline
    this.clusterTimeline = clusterTimeline
  }
}

/**
 * The `cause` of a {@link HostSelectionTimeoutError} or {@link WaitQueueFullError}: a primary answers that is of another
 * cluster. Take it off the list; after an upgrade or a blue/green change, which alter the identity for good, call
 * `pool.topology.reset()`.
 */
export class ForeignClusterError extends PgLeaderError {
  /** Its entry in the host list, `host:port`. */
  readonly host: string
  /** The `system_identifier` of its cluster. */
  readonly systemIdentifier: string
  /** That of ours. */
  readonly clusterIdentifier: string

  constructor(detail: { host: string; systemIdentifier: string; clusterIdentifier: string }) {
    const { host, systemIdentifier, clusterIdentifier } = detail
    const message =
      `${host} is a primary of another cluster (system identifier ${systemIdentifier}, ours is ${clusterIdentifier}): it is ` +
      'not written to. Take it off the list, or call topology.reset() if that is our cluster now'
    super(message, 'FOREIGN_CLUSTER')
    this.host = host
    this.systemIdentifier = systemIdentifier
    this.clusterIdentifier = clusterIdentifier
  }
}

/**
 * The statement was sent and the connection was lost before the server told its fate: it may have been executed, once,
 * or not at all. It was not sent again. SQLSTATE 08007 (transaction_resolution_unknown); `cause` is what `pg` said.
 *
 * @example
 * ```ts
 * import { Pool, isOutcomeUnknownError } from 'pg-leader'
 * const pool = new Pool({ connectionString: 'postgres://app@db1,db2,db3/shop' })
 * pool.query('insert into payments (key) values ($1)', ['k-17']).catch((error: unknown) => {
 *   if (isOutcomeUnknownError(error)) console.error('payment k-17 may be there or not: look before paying again', error.cause)
 * })
 * ```
 */
export class OutcomeUnknownError extends PgLeaderError {
  /** Always `unknown`: nobody can tell whether it was committed. */
  readonly outcome = 'unknown'

  constructor(message: string, options: { cause: unknown }) {
    super(message, '08007', options)
  }
}

/**
 * A transaction was rolled back, nothing of it is left, and it was not run again: its attempts were used up, or a statement
 * of it had failed and the function went on to COMMIT all the same. SQLSTATE 40000 (transaction_rollback); `cause` is what
 * it failed with.
 *
 * @example
 * ```ts
 * import { Pool, isTransactionRolledBackError } from 'pg-leader'
 * const pool = new Pool({ connectionString: 'postgres://app@db1,db2,db3/shop' })
 * pool
 *   .transaction(async (client) => client.query('update accounts set balance = balance - 1 where id = 7'))
 *   .catch((error: unknown) => {
 *     if (isTransactionRolledBackError(error)) console.error('nothing was written', error.cause)
 *   })
 * ```
 */
export class TransactionRolledBackError extends PgLeaderError {
  /** Always `aborted`: nothing of it was written. */
  readonly outcome = 'aborted'

  constructor(message: string, options: { cause: unknown }) {
    super(message, '40000', options)
  }
}

/**
 * `pool.transaction` was used in a way that it cannot answer for: one inside of another, BEGIN or COMMIT sent by its
 * function, its client used when it was over. SQLSTATE 25000 (invalid_transaction_state).
 */
export class TransactionStateError extends PgLeaderError {
  constructor(message: string) {
    super(message, '25000')
  }
}

/**
 * A statement was marked `exactlyOnce` that cannot be run so: several statements, CALL, COPY, VACUUM and whatever else may
 * commit inside, a cursor or stream, `rows`. Or it was asked for as a read, and would let its session write; or on a client that reads
 * and cannot be moved, and is one for the leader. It was not sent. SQLSTATE 0A000 (feature_not_supported).
 */
export class UnsupportedStatementError extends PgLeaderError {
  constructor(message: string) {
    super(message, '0A000')
  }
}

/**
 * A statement that was to be executed exactly once was: it is committed, but the connection was lost before its answer had
 * come in whole, so that its rows and their number are not known. Do not send it again. SQLSTATE 08006
 * (connection_failure); `cause` is what `pg` said.
 */
export class ResultLostError extends PgLeaderError {
  /** Always `committed`: what it wrote is there. */
  readonly outcome = 'committed'

  constructor(message: string, options: { cause: unknown }) {
    super(message, '08006', options)
  }
}

function branded(name: string, error: unknown): boolean {
  return typeof error === 'object' && error !== null && (error as Record<symbol, unknown>)[brand] === name
}

/** Whether `error` was made by this library (any copy of it), and not by `pg` or a server. */
export function isPgLeaderError(error: unknown): error is PgLeaderError {
  return typeof error === 'object' && error !== null && brand in error
}

/** Whether `error` is a {@link ConnInfoError} of any copy of this library. */
export function isConnInfoError(error: unknown): error is ConnInfoError {
  return branded('ConnInfoError', error)
}

/** Whether `error` is a {@link HostsUnreachableError} of any copy of this library. */
export function isHostsUnreachableError(error: unknown): error is HostsUnreachableError {
  return branded('HostsUnreachableError', error)
}

/** Whether `error` is a {@link HostSelectionTimeoutError} of any copy of this library. */
export function isHostSelectionTimeoutError(error: unknown): error is HostSelectionTimeoutError {
  return branded('HostSelectionTimeoutError', error)
}

/** Whether `error` is a {@link WaitQueueFullError} of any copy of this library. */
export function isWaitQueueFullError(error: unknown): error is WaitQueueFullError {
  return branded('WaitQueueFullError', error)
}

/** Whether `error` is a {@link SplitBrainError} of any copy of this library. */
export function isSplitBrainError(error: unknown): error is SplitBrainError {
  return branded('SplitBrainError', error)
}

/** Whether `error` is a {@link StalePrimaryError} of any copy of this library. */
export function isStalePrimaryError(error: unknown): error is StalePrimaryError {
  return branded('StalePrimaryError', error)
}

/** Whether `error` is a {@link ForeignClusterError} of any copy of this library. */
export function isForeignClusterError(error: unknown): error is ForeignClusterError {
  return branded('ForeignClusterError', error)
}

/** Whether `error` is an {@link OutcomeUnknownError} of any copy of this library. */
export function isOutcomeUnknownError(error: unknown): error is OutcomeUnknownError {
  return branded('OutcomeUnknownError', error)
}

/** Whether `error` is a {@link TransactionRolledBackError} of any copy of this library. */
export function isTransactionRolledBackError(error: unknown): error is TransactionRolledBackError {
  return branded('TransactionRolledBackError', error)
}

/** Whether `error` is a {@link TransactionStateError} of any copy of this library. */
export function isTransactionStateError(error: unknown): error is TransactionStateError {
  return branded('TransactionStateError', error)
}

/** Whether `error` is an {@link UnsupportedStatementError} of any copy of this library. */
export function isUnsupportedStatementError(error: unknown): error is UnsupportedStatementError {
  return branded('UnsupportedStatementError', error)
}

/** Whether `error` is a {@link ResultLostError} of any copy of this library. */
export function isResultLostError(error: unknown): error is ResultLostError {
  return branded('ResultLostError', error)
}
