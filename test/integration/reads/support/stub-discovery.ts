import { setTimeout as sleep } from 'node:timers/promises'
import type { Discovery, HostEntry } from '../../../../src/index'
import type { Host } from '../../../support'

/** A source that says what a test tells it to. */
export class StubDiscovery implements Discovery {
  readonly name = 'the stub'
  asked = 0
  /** Questions that are open. */
  open = 0
  #says: () => unknown = () => []

  async hosts(): Promise<readonly HostEntry[]> {
    this.asked += 1
    this.open += 1
    try {
      // As an answer from a network does, it comes in another turn of the event loop.
      await sleep(1)
      return (await this.#says()) as readonly HostEntry[]
    } finally {
      this.open -= 1
    }
  }

  lists(hosts: readonly (Host | HostEntry)[]): this {
    return this.says(() => hosts.map(entryOf))
  }

  says(what: () => unknown): this {
    this.#says = what
    return this
  }
}

/** What there is to say of a server, and nothing else. */
function entryOf({ host, port, ...rest }: Host | HostEntry): HostEntry {
  const { weight, tags } = rest as HostEntry
  return { host, port, weight, tags }
}
