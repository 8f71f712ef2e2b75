import { AsyncLocalStorage } from 'node:async_hooks'

interface Stay {
  open: boolean
}

/**
 * A stretch of work, with everything that is called and awaited inside of it. Whoever asks from there is inside until
 * the work is done; what it left behind (a timer, an event) is not.
 */
export class Scope {
  /** Made by the first use: from then on Node follows every async context of the process, which is not free. */
  #storage: AsyncLocalStorage<Stay> | undefined

  get inside(): boolean {
    return this.#storage?.getStore()?.open === true
  }

  async run<T>(work: () => T | Promise<T>): Promise<T> {
    const stay = { open: true }
    this.#storage ??= new AsyncLocalStorage()
    try {
      return await this.#storage.run(stay, work)
    } finally {
      stay.open = false
    }
  }
}
