import type { Checkout } from '../pool/checkout'
import type { Clients } from '../pool/clients'
import { whenIdle } from '../pool/pause'
import type { PauseOptions } from '../pool/pause'
import type { ReadSource } from './read-source'

/** Where callers come in, if it is open there. */
interface Doors {
  readonly checkout: Checkout | undefined
  readonly reads: ReadSource | undefined
}

/** `pool.pause` and `pool.resume`: for the pool's own clients and for those that read. */
export class Pausing {
  readonly #clients: Clients
  readonly #doors: () => Doors
  readonly #resumeListeners = new Set<() => void>()

  constructor(clients: Clients, doors: () => Doors) {
    this.#clients = clients
    this.#doors = doors
  }

  async pause(checkout: Checkout, options: PauseOptions): Promise<void> {
    const { reads } = this.#doors()
    // Whoever paused first decides when it goes on.
    const wasPaused = checkout.paused
    checkout.pause()
    reads?.pause()
    const stops: (() => void)[] = []
    const onResume = (stop: () => void): void => {
      stops.push(stop)
      this.#resumeListeners.add(stop)
    }
    const books = reads === undefined ? [this.#clients] : [this.#clients, reads.clients]
    try {
      await Promise.all(books.map((clients) => whenIdle(clients, options, onResume)))
    } catch (error) {
      if (!wasPaused) this.#goOn()
      throw error
    } finally {
      for (const stop of stops) this.#resumeListeners.delete(stop)
    }
  }

  resume(): void {
    this.#goOn()
    for (const resumed of [...this.#resumeListeners]) resumed()
  }

  #goOn(): void {
    const { checkout, reads } = this.#doors()
    checkout?.resume()
    reads?.resume()
  }
}
