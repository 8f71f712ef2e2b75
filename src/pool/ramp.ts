import { random } from '../runtime/random'
import { after } from '../runtime/timer'
import type { Timer } from '../runtime/timer'
import type { CheckoutPort } from './checkout-port'

/** About how long it takes, after a hold, until as many connections as `max` allows have been asked for. */
export const rampMillis = 25

/**
 * After a hold one request is made at first, which has the new host to itself; when it has its client, or takes long,
 * more and more at a time, at random distances: other processes were waiting for this host as well.
 */
export class Ramp {
  readonly #port: Pick<CheckoutPort, 'max'>
  readonly #line: { readonly size: number }
  readonly #goOn: () => void
  #allowed = Infinity
  #next: Timer | undefined

  /** `line`: who waits. `goOn` is called whenever more requests are allowed than before. */
  constructor(port: Pick<CheckoutPort, 'max'>, line: { readonly size: number }, goOn: () => void) {
    this.#port = port
    this.#line = line
    this.#goOn = goOn
  }

  /** How many requests may be open at once, while that is less than `max`. */
  get allowed(): number {
    return this.#allowed
  }

  /** Begins with one request; called again when that one has its client. */
  climb(): void {
    this.#next?.cancel()
    this.#allowed = this.#allowed === Infinity ? 1 : this.#allowed + 1
    if (this.#allowed >= this.#port.max || this.#line.size === 0) this.#allowed = Infinity
    else {
      // One lost packet of the first must not keep everybody waiting.
      const distance = this.#allowed === 1 ? rampMillis : (random() * 2 * rampMillis) / this.#port.max
      this.#next = after(distance, () => this.climb(), { ref: true })
    }
    this.#goOn()
  }

  /** Nothing is bounded but by `max`. */
  cancel(): void {
    this.#next?.cancel()
    this.#allowed = Infinity
  }
}
