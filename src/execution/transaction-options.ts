import { readFlag, show } from '../client/conninfo/option-value'
import { ConnInfoError } from '../errors'
import type { Position } from '../core/selection/position'
import { readAfter } from './after'
import { scopeNow } from './read-scope'

const isolations = ['read uncommitted', 'read committed', 'repeatable read', 'serializable'] as const

/** How a transaction of `pool.transaction` is run. */
export interface TransactionOptions {
  /** Given to BEGIN. Default: the server's, `default_transaction_isolation`. */
  readonly isolation?: (typeof isolations)[number]
  /**
   * BEGIN … READ ONLY: it changes nothing, carries no witness, and may be run again whatever became of it. Default: false.
   */
  readonly readOnly?: boolean
  /**
   * With `readOnly`: a position as `pool.position()` gave it, perhaps in another process. The transaction sees all that was written up
   * to it: it begins on a standby that has replayed that, or that has in `readOnly.consistencyWaitMillis`, else on the leader. Anything
   * else is refused with ConnInfoError. Default: none; inside of `session()` it sees what the session has to see in any case.
   *
   * @example
   * ```ts
   * import { Pool } from 'pg-leader'
   * const pool = new Pool({ connectionString: 'postgres://app@db1,db2,db3/shop' })
   * await pool.query('insert into orders (id) values (7)')
   * const after = await pool.position()
   * const { rows } = await pool.transaction((client) => client.query('select * from orders'), { readOnly: true, after })
   * console.log(rows)
   * ```
   */
  readonly after?: string
  /** With `serializable` and `readOnly`: waits for a snapshot that cannot fail, as in SQL. Default: false. */
  readonly deferrable?: boolean
  /** How often the function is called at the most, the first time included. Default: 5. */
  readonly maxAttempts?: number
  /** Ends the wait for a client, and rolls back what has not been committed; a COMMIT under way is never cancelled. */
  readonly signal?: AbortSignal
  /**
   * What the application calls it: should a failover cut it off after it was acknowledged, the `failover` event names it, so
   * that it can be repaired.
   */
  readonly tag?: string
}

/** The same, checked. */
export interface TransactionPlan {
  readonly begin: string
  readonly readOnly: boolean
  /** It can be run on a standby, which knows no serializable transactions. */
  readonly onStandby: boolean
  /** What it has to see. */
  readonly after: Position | undefined
  readonly maxAttempts: number
  readonly signal: AbortSignal | undefined
  readonly tag: string | undefined
}

const known: ReadonlySet<string> = new Set([
  'isolation',
  'readOnly',
  'after',
  'deferrable',
  'maxAttempts',
  'signal',
  'tag',
])

/** @throws {@link ConnInfoError} naming the option, its value and what would do. */
export function planTransaction(options: TransactionOptions = {}): TransactionPlan {
  if (typeof options !== 'object' || options === null) {
    throw new ConnInfoError(`the options of pool.transaction must be an object, not ${show(options)}`)
  }
  for (const name of Object.keys(options)) {
    if (!known.has(name)) {
      throw new ConnInfoError(`${name} is not an option of pool.transaction: these are ${[...known].join(', ')}`)
    }
  }
  const { isolation, maxAttempts = 5, signal, tag } = options
  if (isolation !== undefined && !isolations.includes(isolation)) {
    throw new ConnInfoError(`isolation must be one of ${isolations.join(', ')}, not ${show(isolation)}`)
  }
  if (!Number.isInteger(maxAttempts) || maxAttempts < 1) {
    throw new ConnInfoError(`maxAttempts must be a whole number of at least 1, not ${show(maxAttempts)}`)
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new ConnInfoError(`signal must be an AbortSignal, not ${show(signal)}`)
  }
  if (tag !== undefined && typeof tag !== 'string') throw new ConnInfoError(`tag must be a string, not ${show(tag)}`)
  const readOnly = options.readOnly === undefined ? scopeNow() === 'reads' : readFlag('readOnly', options.readOnly)
  const after = readAfter(options.after)
  if (after instanceof Error) throw after
  if (after !== undefined && !readOnly) {
    throw new ConnInfoError(
      'after is for a transaction with readOnly: true; one that writes is on the leader, which has all there is',
    )
  }
  const modes = [
    ...(isolation === undefined ? [] : [`isolation level ${isolation}`]),
    ...(readOnly ? ['read only'] : []),
    ...(readFlag('deferrable', options.deferrable) ? ['deferrable'] : []),
  ]
  const onStandby = readOnly && isolation !== 'serializable'
  return { begin: ['begin', modes.join(', ')].join(' ').trim(), readOnly, onStandby, after, maxAttempts, signal, tag }
}
