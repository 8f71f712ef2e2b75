import { backoffMillis } from '../core/retry/backoff'
import { now } from '../runtime/clock'
import { random } from '../runtime/random'
import { after } from '../runtime/timer'
import type { Timer } from '../runtime/timer'

/** Pauses between requests to a host that counts as one to go to and yet would not have us; each longer than the last. */
export class BackOff {
  readonly #goOn: () => void
  #failures = 0
  #since: number | undefined
  #last: Error | undefined
  #pause: Timer | undefined

  /** `goOn` is called after every pause. */
  constructor(goOn: () => void) {
    this.#goOn = goOn
  }

  /** A pause is under way. */
  get active(): boolean {
    return this.#pause !== undefined
  }

  /** Requests that failed since the last one that did not. */
  get failures(): number {
    return this.#failures
  }

  /** When the first of them failed. */
  get since(): number | undefined {
    return this.#since
  }

  /** Why the last of them failed. */
  get last(): Error | undefined {
    return this.#last
  }

  /** One more request has failed. */
  failed(error: Error): void {
    this.#failures += 1
    this.#since ??= now()
    this.#last = error
  }

  /** What failed before says nothing any more. */
  forget(): void {
    if (this.#failures === 0) return
    this.#failures = 0
    this.#since = this.#last = undefined
  }

  /** Begins a pause, if none is under way. */
  pause(): void {
    if (this.#pause !== undefined) return
    const millis = backoffMillis(this.#failures, { base: 5, cap: 1000 }, random())
    const over = (): void => {
      this.#pause = undefined
      this.#goOn()
    }
    this.#pause = after(millis, over, { ref: true })
  }

  /** Ends the pause that is under way; the failures are remembered. */
  cancel(): void {
    this.#pause?.cancel()
    this.#pause = undefined
  }
}
