import { now } from '../runtime/clock'
import { after } from '../runtime/timer'
import type { Timer } from '../runtime/timer'
import type { CheckoutPort } from './checkout-port'
import { rampMillis } from './ramp'

/** Between two requests in advance: at most 50 a second, of all that a host is asked while nobody leads. */
const preparationMillis = 20

/** The requests of a checkout. */
export interface Requests {
  /** How many are open. */
  readonly open: () => number
  /** Makes one more. */
  readonly make: () => void
  /** Makes as many as there ought to be. */
  readonly pump: () => void
}

/**
 * While callers are held and there are hosts that may lead soon, sessions are made there in advance: at first one for
 * each of these hosts, then more, one after another. They serve in the moment their host leads. Bounded, since a host
 * that will not have us must not be asked for ever.
 */
export class Preparation {
  readonly #port: Pick<CheckoutPort, 'max' | 'successors'>
  readonly #line: { readonly size: number }
  readonly #requests: Requests
  /** Requests made in this hold, in advance of a leader. */
  #prepared = 0
  /** How many more of them may be open at once than there are hosts for them. */
  #preparing = 0
  /** A host that may lead soon would not have us: none is asked again before this. */
  #notBefore = 0
  #next: Timer | undefined

  /** `line`: who is held. */
  constructor(port: Pick<CheckoutPort, 'max' | 'successors'>, line: { readonly size: number }, requests: Requests) {
    this.#port = port
    this.#line = line
    this.#requests = requests
  }

  /** Makes the requests that are due in advance, and sees to it that more follow. */
  prepare(): void {
    const successors = this.#line.size === 0 ? 0 : this.#port.successors()
    if (successors === 0 || this.#prepared >= 2 * this.#port.max) return
    const wanted = Math.min(this.#line.size, this.#port.max, successors + this.#preparing)
    if (this.#requests.open() < wanted && now() >= this.#notBefore) {
      while (this.#requests.open() < wanted) {
        this.#prepared += 1
        this.#requests.make()
      }
    }
    if (this.#next !== undefined || successors + this.#preparing >= this.#port.max) return
    this.#next = after(preparationMillis, () => {
      this.#next = undefined
      this.#preparing += 1
      this.#requests.pump()
    })
  }

  /** One of the requests has failed. */
  refused(): void {
    this.#notBefore = now() + rampMillis
  }

  /** The hold is over, or another one begins. */
  cancel(): void {
    this.#prepared = this.#preparing = this.#notBefore = 0
    this.#next?.cancel()
    this.#next = undefined
  }
}
