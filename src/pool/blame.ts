import { saysConnectionWasLost } from '../core/retry/connect-failure'

/** Who is at fault for an error of a request to pg-pool. */
export type Culprit = 'caller' | 'host' | 'nobody'

/**
 * Remembers of an error that it is not the caller's: pg-pool delivers it to whoever happens to be first in its queue.
 * What was never blamed on anything else concerns the caller.
 */
export class Blame {
  readonly #known = new WeakMap<object, Exclude<Culprit, 'caller'>>()

  /** Notes who is at fault, and gives the error back. */
  put<T extends Error>(culprit: Exclude<Culprit, 'caller'>, error: T): T {
    this.#known.set(error, culprit)
    return error
  }

  /** Whether somebody was blamed for this very error. */
  isPut(error: Error): boolean {
    return this.#known.has(error)
  }

  /** Who is at fault. pg-pool wraps what ended a dial whose time was up, and passes on what its hooks threw. */
  of(given: unknown): Culprit {
    if (typeof given !== 'object' || given === null) return 'caller'
    const { cause } = given as Error
    const known = this.#known.get(given) ?? (typeof cause === 'object' && cause !== null && this.#known.get(cause))
    return known || (saysConnectionWasLost(given) ? 'host' : 'caller')
  }
}
