import type { Client, Notification } from 'pg'
import { checkAlive } from '../client/alive'
import { nextStep } from '../core/listen/next-step'
import type { Step } from '../core/listen/next-step'
import { putFault } from '../core/selection/fault'
import { serverCode } from '../core/retry/sqlstate'
import { Bell } from '../runtime/bell'
import { now } from '../runtime/clock'
import { limit } from '../runtime/timer'
import type { Channels } from './channels'
import type { Channel } from './channel'
import { afterGoodbye } from './clients'
import type { ListenPort } from './listen-port'
import { cutSocket, sessionOf } from './session'
import type { Session } from './session'

/** One physical session that listens, from its connect to its end. */
export class ListeningSession {
  readonly #client: Client
  readonly #channels: Channels
  readonly #port: ListenPort
  readonly #bell = new Bell()
  #state: 'connecting' | 'connected' | 'lost' = 'connecting'
  #left: Promise<void> | undefined
  #askedAt = now()

  constructor(channels: Channels, port: ListenPort) {
    this.#channels = channels
    this.#port = port
    this.#client = port.createClient()
    // Both: what has failed may never close.
    this.#client.on('error', () => this.#lose())
    this.#client.on('end', () => this.#lose())
    this.#client.on('notification', (message) => this.#heard(message))
  }

  /** Connects and does what its channels want. Resolves when they want nothing more; rejects when it is lost. */
  async attend(): Promise<void> {
    try {
      await this.#inTime(this.#port.connectMillis, () => this.#client.connect())
      if (this.#state === 'connecting') this.#state = 'connected'
      while (this.#channels.wanted) await this.#goOn()
      await (this.#left ??= this.#goodbye())
    } catch (error) {
      cutSocket(this.#client)
      throw error
    }
  }

  /** Something is different that it may have waited for. */
  changed(): void {
    if (this.#state === 'connecting' && !this.#channels.wanted) cutSocket(this.#client)
    this.#bell.ring()
  }

  /** Leaves, whatever is under way. */
  leave(): void {
    if (this.#state === 'connected') this.#left ??= this.#goodbye()
    else cutSocket(this.#client)
  }

  /** Is cut if it is one of these. */
  cut(which: (session: Session) => boolean): void {
    const session = sessionOf(this.#client)
    if (session !== undefined && which(session)) cutSocket(this.#client)
  }

  async #goOn(): Promise<void> {
    if (this.#state !== 'connected') throw putFault(new Error('the connection was lost'), 'host')
    const step = nextStep(this.#channels)
    const { intervalMillis, timeoutMillis } = this.#port.alive
    const idleMillis = now() - this.#askedAt
    if (step !== undefined) await this.#take(step)
    else if (idleMillis < intervalMillis) await this.#bell.wait(intervalMillis - idleMillis)
    else await this.#ask(timeoutMillis)
  }

  async #take(step: Step<Channel>): Promise<void> {
    this.#askedAt = now()
    if (step.type === 'unlisten') for (const channel of step.channels) channel.silence()
    try {
      await this.#inTime(this.#port.answerMillis, () => this.#client.query(step.text))
    } catch (error) {
      const [channel] = step.channels
      const isAlone = channel !== undefined && step.type === 'listen' && !channel.known
      // The session lives on; what was asked for is refused.
      if (!isAlone || serverCode(error) === undefined || !this.#port.isFinal(error)) throw error
      this.#channels.refuse(channel, error as Error)
      return
    }
    this.#channels.taken(step, this.#askedAt)
  }

  async #ask(timeoutMillis: number): Promise<void> {
    this.#askedAt = now()
    const alive = await new Promise<boolean>((resolve) => checkAlive(this.#client, timeoutMillis, resolve))
    if (!alive) throw putFault(new Error(`no sign of life within ${timeoutMillis} ms`), 'host')
    this.#channels.heard(this.#askedAt)
  }

  #heard({ channel, payload = '', processId }: Notification): void {
    this.#channels.tell({ type: 'notification', channel, payload, processId })
  }

  #lose(): void {
    if (this.#state === 'connected') this.#state = 'lost'
    cutSocket(this.#client)
    this.#bell.ring()
  }

  async #goodbye(): Promise<void> {
    afterGoodbye(this.#client)
    await this.#client.end().catch(() => undefined)
  }

  async #inTime(millis: number, act: () => PromiseLike<unknown>): Promise<void> {
    const timer = limit(millis, () => cutSocket(this.#client))
    try {
      await act()
    } finally {
      timer.cancel()
    }
  }
}
