import { AsyncResource } from 'node:async_hooks'
import { backoffMillis } from '../core/retry/backoff'
import { Bell } from '../runtime/bell'
import { now } from '../runtime/clock'
import { createLog } from '../runtime/log'
import { random } from '../runtime/random'
import { after } from '../runtime/timer'
import type { Channel } from './channel'
import { Channels } from './channels'
import { afterEnd } from './checkout-errors'
import type { ListenPort } from './listen-port'
import { ListeningSession } from './listening-session'
import type { Session } from './session'
import { Subscriber } from './subscription'
import type { ListenHandler, Subscription } from './subscription'

const log = createLog('pool')

/** Between two attempts to connect that fail. */
const betweenAttempts = { base: 50, cap: 2000 }

/** As long as a timer can be: what keeps the process alive while there is no socket that does. */
const forEver = 2 ** 31 - 1

/**
 * One session for all channels of a pool, beside pg-pool: it takes no client from anybody, and it does not wait for
 * anybody's. As long as somebody listens it is made anew whenever it is lost: connect, LISTEN to everything in one message,
 * tell of the gap.
 */
export class Listening {
  readonly #port: ListenPort
  readonly #channels = new Channels()
  /** Whoever subscribes, the session is nobody's: no caller's async context goes on living in it. */
  readonly #context = new AsyncResource('pg-leader.listening', { requireManualDestroy: true })
  readonly #bell = new Bell()
  #session: ListeningSession | undefined
  #failure: Error | undefined
  #running = false
  #ended = false

  constructor(port: ListenPort) {
    this.#port = port
  }

  /** Resolves when the server has accepted the subscription. */
  listen(name: string, handler: ListenHandler): Promise<Subscription> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(new Error(afterEnd))
      const channel = this.#channels.open(name)
      const close = (): Promise<void> => this.#close(channel, subscriber)
      const begun = (): void => resolve(Object.freeze({ channel: name, close, [Symbol.asyncDispose]: close }))
      const subscriber = new Subscriber(handler, begun, reject)
      channel.subscribers.add(subscriber)
      if (channel.listened) return subscriber.begin()
      const { holdMillis } = this.#port
      if (holdMillis < Infinity) subscriber.expireAfter(holdMillis, () => this.#expire(channel, subscriber))
      this.changed()
    })
  }

  /** Something is different that the session may have waited for. */
  changed(): void {
    this.#bell.ring()
    this.#session?.changed()
    if (this.#running || !this.#channels.wanted) return
    this.#running = true
    this.#context.runInAsyncScope(() => void this.#run())
  }

  /** The session is cut if it is one of these. */
  cut(which: (session: Session) => boolean): void {
    this.#session?.cut(which)
  }

  /** Whoever waits for a first answer gets this one. */
  refuse(error: Error): void {
    this.#channels.refuseAll(error)
    this.changed()
  }

  /** The pool ends. */
  end(): void {
    this.#ended = true
    this.#channels.clear(new Error(afterEnd))
    this.#session?.leave()
    this.changed()
    this.#context.emitDestroy()
  }

  #close(channel: Channel, subscriber: Subscriber): Promise<void> {
    subscriber.close()
    const isLast = channel.subscribers.delete(subscriber) && !channel.wanted
    const silent = isLast && channel.listened ? channel.whenSilent() : Promise.resolve()
    this.changed()
    return silent
  }

  #expire(channel: Channel, subscriber: Subscriber): void {
    this.#channels.fail(channel, subscriber, this.#port.expired(this.#port.holdMillis, this.#failure))
    this.changed()
  }

  async #run(): Promise<void> {
    const alive = after(forEver, () => undefined, { ref: true })
    for (let failures = 0; this.#channels.wanted;) {
      if (this.#port.ready()) failures = await this.#attempt(failures)
      else await this.#bell.wait(Infinity)
    }
    this.#failure = undefined
    this.#running = false
    alive.cancel()
  }

  /** One session, and what there is to wait after it. */
  async #attempt(failures: number): Promise<number> {
    const since = now()
    try {
      this.#session = new ListeningSession(this.#channels, this.#port)
      await this.#session.attend()
      return 0
    } catch (error) {
      this.#failure = error as Error
      log('the session that listens was lost: %s', this.#failure.message)
      if (this.#port.isFinal(error)) this.#channels.refuseAll(this.#failure)
    } finally {
      this.#session = undefined
      this.#channels.lost()
    }
    const inVain = now() - since < betweenAttempts.cap ? failures : 0
    const until = now() + backoffMillis(inVain, betweenAttempts, random())
    while (this.#channels.wanted && now() < until) await this.#bell.wait(until - now())
    return inVain + 1
  }
}
