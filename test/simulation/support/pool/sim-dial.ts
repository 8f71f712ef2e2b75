import type { Client } from 'pg'
import type { Dial, Dialling } from '../../../../src/client/dial'
import { limit } from '../../../../src/runtime/timer'
import type { Timer } from '../../../../src/runtime/timer'
import { serverError } from './sim-client'
import type { SimClient } from './sim-client'
import { onStage } from './stage'
import type { Link, Message, Role } from './wire'

/** Stands in for `src/client/dial.ts`: the same promises over a simulated connection. */
export function dial(
  client: Client,
  _Base: unknown,
  attempt: Dial,
  callback: (error: Error | undefined) => void,
): Dialling {
  return new Attempt(client as unknown as SimClient, attempt, callback)
}

class Attempt implements Dialling {
  readonly #client: SimClient
  readonly #attempt: Dial
  readonly #callback: (error: Error | undefined) => void
  readonly #link: Link
  #over = false
  #isParked = false
  #rechecks: 'none' | 'open' | 'one more' = 'none'
  #timer: Timer

  constructor(client: SimClient, attempt: Dial, callback: (error: Error | undefined) => void) {
    this.#client = client
    this.#attempt = attempt
    this.#callback = callback
    this.#timer = this.#limit()
    this.#link = onStage().wire.connect(attempt.where, (message) => this.#hear(message))
  }

  abort(reason: Error): void {
    this.#fail(reason)
  }

  #limit(): Timer {
    const { where, timeoutMillis } = this.#attempt
    const late = Object.assign(new Error(`${where}: no session within ${timeoutMillis} ms`), { code: 'ETIMEDOUT' })
    return limit(timeoutMillis, () => this.#fail(late))
  }

  #hear(message: Message): void {
    if (message.type === 'ready') this.#judge(message.role)
    else if (message.type === 'error') this.#fail(serverError(message))
    else if (message.type === 'end') {
      const { code } = message
      this.#fail(
        code === undefined
          ? new Error('Connection terminated unexpectedly')
          : Object.assign(new Error(`connect ${code}`), { code }),
      )
    }
  }

  #judge(role: Role): void {
    const reason = this.#attempt.accept?.(role)
    if (reason === undefined) return this.#take()
    if (this.#attempt.park === undefined) {
      const { where } = this.#attempt
      return this.#fail(Object.assign(new Error(`${where}: ${reason}`), { code: '08004' }))
    }
    this.#timer.cancel()
    const again = this.#rechecks === 'one more'
    this.#rechecks = 'none'
    if (again) return this.#recheck()
    if (this.#isParked) return
    this.#isParked = true
    this.#attempt.park({ recheck: () => this.#recheck() })
  }

  #recheck(): void {
    if (this.#over) return
    if (this.#rechecks !== 'none') {
      this.#rechecks = 'one more'
      return
    }
    this.#rechecks = 'open'
    this.#timer = this.#limit()
    this.#link.sync()
  }

  #take(): void {
    this.#over = true
    this.#timer.cancel()
    const { observe } = this.#attempt
    const { connection } = this.#client
    connection.prependListener('notice', ({ code }: { code: string }) => observe?.({ type: 'notice', sqlstate: code }))
    connection.prependListener('errorMessage', (error: Error) => observe?.({ type: 'error', error }))
    connection.prependListener('error', (error: Error) => observe?.({ type: 'error', error }))
    connection.prependOnceListener('end', () => observe?.({ type: 'end' }))
    // Nobody else listens to it, and an `error` event that nobody hears is thrown.
    connection.on('error', () => undefined)
    this.#client.attach(this.#link)
    this.#callback(undefined)
  }

  #fail(error: Error): void {
    if (this.#over) return
    this.#over = true
    this.#timer.cancel()
    this.#link.close(false)
    this.#callback(error)
  }
}
