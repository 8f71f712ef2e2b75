import pg from 'pg'
import { hideOptions } from '../client/hide-secrets'
import { recapture } from '../execution/run-query'
import { afterEnd } from '../pool/checkout-errors'
import { beginCall } from '../pool/ticket'
import type { CheckoutCallback } from '../pool/ticket'
import { now } from '../runtime/clock'
import { queryBy } from './query-forms'
import type { ReadSource } from './read-source'

type Callback = (...args: unknown[]) => void

/**
 * The replicas of a pool, as a pool of pg's: `pool.readOnly`. It has no connection of its own; its counts are sums over the
 * pools of the hosts, and `end()` ends nothing but itself.
 */
export class ReplicaPool extends pg.Pool {
  readonly #reads: ReadSource

  /** `options`: of the pool that it belongs to. */
  constructor(options: object, reads: ReadSource) {
    super(options)
    this.#reads = reads
    hideOptions(this.options)
    Object.assign(this, { Client: reads.Client })
    const events = (event: string | symbol, args: readonly unknown[]): boolean => this.emit(event, ...args)
    reads.view.watch(events, () => this.#close())
  }

  override connect(callback?: unknown): never {
    const connect = (told: CheckoutCallback): void => {
      if (this.ending) told(new Error(afterEnd))
      else this.#reads.connect(beginCall(now()), told)
    }
    if (callback !== undefined) {
      connect(callback as CheckoutCallback)
      return undefined as never
    }
    return new this.#Promise((resolve, reject) => {
      connect((error, client) => (error ? reject(error) : resolve(client)))
    }).catch(recapture) as never
  }

  override query(text?: unknown, values?: unknown, callback?: unknown): never {
    const port = this.ending ? new Error(afterEnd) : this.#reads.portFor(text)
    return queryBy(port, this.#Promise, text, values, callback) as never
  }

  override end(callback?: unknown): never {
    const told = callback as Callback | undefined
    const error = this.ending ? new Error('Called end on pool more than once') : undefined
    this.#close()
    if (told !== undefined) {
      process.nextTick(told, error)
      return undefined as never
    }
    return (error === undefined ? this.#Promise.resolve() : this.#Promise.reject(error)) as never
  }

  #close(): void {
    Object.assign(this, { ending: true, ended: true })
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    return this.listenerCount(event) > 0 && super.emit(event, ...args)
  }

  get #Promise(): PromiseConstructor {
    return (this as unknown as { Promise: PromiseConstructor }).Promise
  }

  static {
    // Whoever looks for the name of pg's class finds it.
    Object.defineProperty(this, 'name', { value: 'Pool' })
    // pg-pool has getters there, which its type declarations call properties.
    const sums: Record<string, (pool: pg.Pool) => number> = {
      totalCount: (pool) => pool.totalCount,
      idleCount: (pool) => pool.idleCount,
      waitingCount: (pool) => pool.waitingCount,
      expiredCount: (pool) => pool.expiredCount,
    }
    for (const [name, count] of Object.entries(sums)) {
      Object.defineProperty(this.prototype, name, {
        configurable: true,
        get(this: ReplicaPool): number {
          const held = name === 'waitingCount' ? this.#reads.held : 0
          return this.#reads.pools.reduce((sum, pool) => sum + count(pool), held)
        },
      })
    }
  }
}
