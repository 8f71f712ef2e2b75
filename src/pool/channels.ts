import type { Step } from '../core/listen/next-step'
import { now } from '../runtime/clock'
import { Channel } from './channel'
import type { ListenNotification, Subscriber } from './subscription'

/** All channels of a pool, whoever the session is that listens to them. */
export class Channels {
  readonly #channels = new Map<string, Channel>()
  /** When all was well for sure. */
  #heardAt = 0

  /** Somebody listens, or wants to. */
  get wanted(): boolean {
    return [...this.#channels.values()].some(({ wanted }) => wanted)
  }

  [Symbol.iterator](): Iterator<Channel> {
    return this.#channels.values()
  }

  open(name: string): Channel {
    let channel = this.#channels.get(name)
    if (channel === undefined) this.#channels.set(name, (channel = new Channel(name)))
    return channel
  }

  tell(notification: ListenNotification): void {
    this.heard(now())
    this.#channels.get(notification.channel)?.tell(notification)
  }

  /** What was notified before then has been heard. */
  heard(at: number): void {
    this.#heardAt = at
  }

  /** The server has done what it was asked at that time. */
  taken(step: Step<Channel>, at: number): void {
    const gapMillis = Math.max(0, Math.round(now() - this.#heardAt))
    this.heard(at)
    for (const channel of step.channels) {
      if (step.type === 'listen') channel.confirmed(gapMillis)
      else this.#silenced(channel)
    }
  }

  /** There is no session any more. */
  lost(): void {
    for (const channel of this.#channels.values()) {
      channel.silence()
      this.#silenced(channel)
    }
  }

  fail(channel: Channel, subscriber: Subscriber, error: Error): void {
    channel.subscribers.delete(subscriber)
    subscriber.fail(error)
    if (!channel.listened) this.#forget(channel)
  }

  /** Whoever waits for a first answer gets this one. */
  refuse(channel: Channel, error: Error): void {
    for (const subscriber of [...channel.subscribers]) if (subscriber.pending) this.fail(channel, subscriber, error)
  }

  refuseAll(error: Error): void {
    for (const channel of [...this.#channels.values()]) this.refuse(channel, error)
  }

  /** Nobody hears anything from now on. */
  clear(error: Error): void {
    this.refuseAll(error)
    for (const { subscribers } of this.#channels.values()) {
      for (const subscriber of subscribers) subscriber.close()
      subscribers.clear()
    }
  }

  #silenced(channel: Channel): void {
    channel.silent()
    this.#forget(channel)
  }

  #forget(channel: Channel): void {
    if (!channel.wanted) this.#channels.delete(channel.name)
  }
}
