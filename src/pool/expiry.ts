import { now } from '../runtime/clock'
import { after, graceMillis, lateMillis } from '../runtime/timer'
import type { Timer } from '../runtime/timer'

/** One timer for everybody who waits: set to the earliest of their deadlines. */
export class Expiry {
  readonly #expire: () => void
  #timer: Timer | undefined
  #at = Infinity

  /** `expire` is called when the earliest deadline has come; it tells of the deadlines that are left. */
  constructor(expire: () => void) {
    this.#expire = expire
  }

  /** Somebody's time is up then. */
  by(at: number): void {
    if (at >= this.#at) return
    this.#at = at
    this.#timer?.cancel()
    const expire = (): void => {
      this.#at = Infinity
      this.#expire()
    }
    const due = (): void => {
      if (now() - at > lateMillis) this.#timer = after(graceMillis, expire, { ref: true })
      else expire()
    }
    // What waits for a host must keep the process alive: the monitors do not.
    this.#timer = after(at - now(), due, { ref: true })
  }

  /** Nobody waits, so nothing of ours keeps the process alive. */
  forget(): void {
    if (this.#at === Infinity) return
    this.#at = Infinity
    this.#timer?.cancel()
  }
}
