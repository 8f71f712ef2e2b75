import { after } from '../runtime/timer'

/** What those who wait for a host outside of the line want to know. */
export interface WaitersPort {
  available(): boolean
  ending(): boolean
  /** The error of those whose time is up. */
  none(): Error
  /** For how long anybody waits, in milliseconds. */
  readonly longestHold: number
}

/** Clients that somebody made of a pool's class, outside of the pool, and that wait for a host to go to. */
export class Waiters {
  readonly #port: WaitersPort
  readonly #checks = new Set<() => void>()

  constructor(port: WaitersPort) {
    this.#port = port
  }

  /** Resolves when there is a host to go to; rejects when the longest hold is over, or the pool ends. */
  whenAvailable(): Promise<void> {
    const port = this.#port
    if (port.available()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        this.#checks.delete(check)
        timer.cancel()
        act()
      }
      const check = (): void => {
        if (port.ending()) settle(() => reject(new Error('the pool of this client has been ended')))
        else if (port.available()) settle(resolve)
      }
      const expired = (): void => settle(() => reject(port.none()))
      const timer = after(port.longestHold, expired, { ref: true })
      this.#checks.add(check)
    })
  }

  /** What they wait for may have come. */
  check(): void {
    for (const check of this.#checks) check()
  }
}
