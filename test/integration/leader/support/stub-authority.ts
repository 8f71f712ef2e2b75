import { setTimeout as sleep } from 'node:timers/promises'
import type { Authority, ConfirmedLeader } from '../../../../src/index'
import type { Host } from '../../../support'

/** An authority that says what a test tells it to, as a source made for a real one would. */
export class StubAuthority implements Authority {
  readonly name = 'the stub'
  asked = 0
  /** Questions that were given up by whoever asked. */
  aborted = 0
  #says: () => Promise<ConfirmedLeader | undefined> = async () => undefined

  leader(signal: AbortSignal): Promise<ConfirmedLeader | undefined> {
    this.asked += 1
    signal.addEventListener('abort', () => (this.aborted += 1))
    // As an answer from a network does, it comes in another turn of the event loop.
    return sleep(1).then(() => this.#says())
  }

  names({ host, port }: Pick<Host, 'host' | 'port'>, leaseMillis = 60_000): this {
    this.#says = async () => ({ host, port, leaseMillis })
    return this
  }

  namesNobody(): void {
    this.#says = async () => undefined
  }

  fails(message: string): this {
    this.#says = async () => {
      throw new Error(message)
    }
    return this
  }

  isSilent(): this {
    this.#says = () => new Promise(() => undefined)
    return this
  }
}
