import type { ChannelState } from '../core/listen/next-step'
import type { ListenNotification, Subscriber } from './subscription'

/** One channel of a pool, and who hears it. */
export class Channel implements ChannelState {
  readonly name: string
  readonly subscribers = new Set<Subscriber>()
  known = false
  listened = false
  /** What the session told before it had confirmed that it listens. */
  #early: ListenNotification[] = []
  /** Who waits until it is not listened to any more. */
  #closing: (() => void)[] = []

  constructor(name: string) {
    this.name = name
  }

  get wanted(): boolean {
    return this.subscribers.size > 0
  }

  /** Resolves when the server has been told to be silent, or there is no session on which it would not be. */
  whenSilent(): Promise<void> {
    return new Promise((resolve) => this.#closing.push(resolve))
  }

  /** Whoever waited for that goes on. */
  silent(): void {
    for (const resolve of this.#closing.splice(0)) resolve()
  }

  tell(notification: ListenNotification): void {
    if (!this.listened) this.#early.push(notification)
    else for (const subscriber of [...this.subscribers]) subscriber.tell(notification)
  }

  /** The server listens for us. Whoever heard it before is told of the gap first, and then of what came after it. */
  confirmed(gapMillis: number): void {
    const early = this.#early
    this.#early = []
    this.known = this.listened = true
    for (const subscriber of [...this.subscribers]) {
      if (subscriber.pending) subscriber.begin()
      else subscriber.tell({ type: 'gap', channel: this.name, millis: gapMillis })
    }
    for (const notification of early) this.tell(notification)
  }

  /** The session does not listen any more, or is about to stop. */
  silence(): void {
    this.listened = false
    this.#early = []
  }
}
