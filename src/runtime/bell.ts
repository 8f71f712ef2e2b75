import { after } from './timer'
import type { Timer } from './timer'

/** For one who sleeps until something has changed, and looks for himself what that is. */
export class Bell {
  #wake: (() => void) | undefined

  /** Wakes the sleeper, if there is one. */
  ring(): void {
    this.#wake?.()
  }

  /** Resolves when it rings the next time, or after so long. Does not keep the process alive. */
  wait(millis: number): Promise<void> {
    return new Promise((resolve) => {
      const timer: Timer | undefined = millis === Infinity ? undefined : after(millis, () => this.ring())
      this.#wake = () => {
        this.#wake = undefined
        timer?.cancel()
        resolve()
      }
    })
  }
}
