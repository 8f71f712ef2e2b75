import type pg from 'pg'
import { isConnected } from '../client/pg-internals'
import { kindOf } from '../client/conninfo/given-options'
import { resolveOptions } from '../client/conninfo/resolve-options'
import { ConnInfoError } from '../errors'
import type { TransactionFunction } from '../execution/transaction'
import type { TransactionOptions } from '../execution/transaction-options'
import type { PauseOptions } from '../pool/pause'
import type { ListenHandler } from '../pool/subscription'
import type { CheckoutCallback } from '../pool/ticket'
import { PoolDoor } from './pool-door'
import { Pool } from './pool'
import type { PoolConfig } from './pool-types'

/** What `wrap` is told: the hosts to follow, and how, and how reads go to their standbys. Everything else the pool has already. */
export type WrapOptions = Pick<
  PoolConfig,
  | 'connectionString'
  | 'host'
  | 'port'
  | 'hostaddr'
  | 'hosts'
  | 'targetSessionAttrs'
  | 'loadBalanceHosts'
  | 'failoverTimeoutMillis'
  | 'maxWaiting'
  | 'monitor'
  | 'aliveCheckMillis'
  | 'exactlyOnce'
  | 'outcome'
  | 'authority'
  | 'readOnly'
  | 'consistency'
  | 'discovery'
>

/** pg-pool's own lists: nothing else tells which clients a pool had before it was wrapped. */
interface PoolMembers extends pg.Pool {
  readonly _clients?: readonly pg.Client[]
  readonly _idle?: readonly { readonly client: pg.Client }[]
}

type Callback = (...args: unknown[]) => void

/** Pools that were wrapped. Private fields would throw on an instance of somebody else's class. */
const wrapped = new WeakSet<pg.Pool>()

/** Names the hosts anew: with one of them, what the pool was told of hosts before does not count any more. */
const naming = ['connectionString', 'host', 'port', 'hostaddr', 'hosts'] as const

/**
 * Makes a pool that exists already follow the leader, in place: everybody who holds it benefits. Its options, listeners,
 * password function and `Client` class stay. Clients that are connected already are asked for their role at their next
 * checkout; callers who waited before are served as before. Whoever has bound `pool.query` before goes on to call the
 * old one, which then asks our `connect` for its client: held like everybody, but never sent again.
 *
 * @returns the same pool.
 * @throws ConnInfoError for options that cannot be used, for a pool of ours or one that was wrapped before, and for one that has ended.
 * @example
 * ```ts
 * import pg from 'pg'
 * import { wrap } from 'pg-leader'
 * const pool = new pg.Pool({ host: 'db1', database: 'shop' })
 * wrap(pool, { hosts: [{ host: 'db1' }, { host: 'db2' }, { host: 'db3' }] })
 * await pool.query('select 1')
 * ```
 */
export function wrap(pool: pg.Pool, options: WrapOptions): Pool {
  if (typeof (pool as Partial<pg.Pool> | undefined)?.connect !== 'function' || typeof pool.options !== 'object') {
    throw new ConnInfoError(`wrap: needs a pool of pg's, not ${kindOf(pool)}`)
  }
  if (typeof options !== 'object' || (options as unknown) === null) {
    throw new ConnInfoError(`wrap: needs the hosts to follow, as in { hosts }, not ${kindOf(options)}`)
  }
  if (wrapped.has(pool) || pool instanceof Pool) throw new ConnInfoError('wrap: this pool is one of ours already')
  if (pool.ending) throw new ConnInfoError('wrap: this pool has been ended')
  const given = merge(pool.options, options)
  const follow = resolveOptions(given)
  if (follow.plain) {
    throw new ConnInfoError('wrap: the options name one host and nothing to follow; list all hosts of the cluster')
  }
  const self = pool as unknown as Record<'connect' | 'query' | 'end' | 'emit', (...args: unknown[]) => unknown>
  const { connect, query, end, emit } = self
  const door = new PoolDoor(pool, follow, given as Readonly<Record<string, unknown>>, {
    connect: (callback) => Reflect.apply(connect, pool, callback === undefined ? [] : [callback]),
    query: (text, values, callback) => Reflect.apply(query, pool, [text, values, callback]),
    end: (callback) => Reflect.apply(end, pool, callback === undefined ? [] : [callback]),
    emit: (event, detail) => Reflect.apply(emit, pool, [event, detail]) as boolean,
  })
  wrapped.add(pool)
  const { _clients: clients = [], _idle: idle = [] } = pool as PoolMembers
  const idling = new Set(idle.map((item) => item.client))
  door.takeOver(
    clients,
    clients.filter((client) => !idling.has(client) && isConnected(client)),
  )
  const waiting = lookup(pool, 'waitingCount')
  define(pool, {
    connect: { value: (callback?: unknown) => door.connect(callback as CheckoutCallback | undefined) },
    query: { value: (text?: unknown, values?: unknown, callback?: unknown) => door.query(text, values, callback) },
    end: { value: (callback?: unknown) => door.end(callback as Callback | undefined) },
    emit: {
      value: (event: string | symbol, ...args: unknown[]) => {
        if (event === 'acquire') door.acquired(args[0] as pg.Client)
        else if (event === 'release') door.released(args[1] as pg.Client)
        else if (door.swallows(event, args)) return false
        return Reflect.apply(emit, pool, [event, ...args])
      },
    },
    transaction: {
      value: (work: TransactionFunction<unknown>, plan?: TransactionOptions) => door.transaction(work, plan),
    },
    listen: { value: (channel: string, handler: ListenHandler) => door.listen(channel, handler) },
    pause: { value: (pause?: PauseOptions) => door.pause(pause) },
    resume: { value: () => door.resume() },
    position: { value: () => door.position() },
    readOnly: { get: () => door.readOnly },
    topology: { get: () => door.topology },
    waitingCount: { get: () => door.waitingCount(waiting?.get?.call(pool) as number) },
  })
  return pool as Pool
}

function merge(had: object, options: WrapOptions): object {
  // By descriptors: pg-pool hides the password from enumeration.
  const descriptors = Object.getOwnPropertyDescriptors(had) as Record<string, PropertyDescriptor>
  const renamed = naming.filter((name) => options[name] !== undefined)
  if (renamed.length === 0) return Object.assign(Object.defineProperties({}, descriptors), options)
  // `hosts` wins over the string's hosts, and the string stays for all the rest that it says.
  const keepsString = options.hosts !== undefined
  if (!keepsString && options.connectionString === undefined && 'connectionString' in descriptors) {
    const message = `wrap: the connectionString of this pool wins over ${renamed.join(', ')}; name its hosts with hosts or connectionString`
    throw new ConnInfoError(message)
  }
  const replaced = new Set<string>(keepsString ? naming.filter((name) => name !== 'connectionString') : naming)
  const kept = Object.entries(descriptors).filter(([name]) => !replaced.has(name))
  return Object.assign(Object.defineProperties({}, Object.fromEntries(kept)), options)
}

function define(pool: pg.Pool, members: Record<string, PropertyDescriptor>): void {
  for (const [name, descriptor] of Object.entries(members)) {
    const writable = 'value' in descriptor ? { writable: true } : {}
    Object.defineProperty(pool, name, { ...descriptor, ...writable, configurable: true, enumerable: false })
  }
}

function lookup(target: object, name: string): PropertyDescriptor | undefined {
  for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const found = Object.getOwnPropertyDescriptor(at, name)
    if (found !== undefined) return found
  }
  return undefined
}
