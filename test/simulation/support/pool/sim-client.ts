import { EventEmitter } from 'node:events'
import type { Question } from '../world'
import type { Link, Message } from './wire'
import { onStage } from './stage'

type Answer = (error: Error | undefined, result?: unknown) => void

/** A statement as the simulated application writes it. */
export interface Statement {
  readonly text: string
  readonly id: number
  readonly work: number
  readonly gap: number
}

/** By what a question of the library's own is known. */
const questions: Readonly<Record<Question, string>> = {
  replayed: 'pg_last_wal_replay_lsn()',
  written: 'pg_current_wal_insert_lsn()',
}

class Socket extends EventEmitter {
  readonly #end: () => void
  destroyed = false
  writable = true

  constructor(end: () => void) {
    super()
    this.#end = end
  }

  destroy(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.writable = false
    this.#end()
  }
}

/** A server's error as pg-protocol makes it. */
export function serverError({ code, severity }: { readonly code: string; readonly severity: string }): Error {
  return Object.assign(new Error(`the server said ${code}`), { code, severity, routine: 'simulated' })
}

/**
 * As much of `pg.Client` as pg-pool and the library touch, over a {@link Link} instead of a socket; what happens when is what
 * happens in pg's own `client.js`.
 */
export class SimClient extends EventEmitter {
  readonly connection: EventEmitter & { stream: Socket; sync: () => void }
  _ending = false
  _ended = false
  _queryable = true
  _connected = false
  #link: Link | undefined
  #active: Answer | undefined

  constructor() {
    super()
    const stream = new Socket(() => this.#destroyed())
    this.connection = Object.assign(new EventEmitter(), { stream, sync: () => this.#link?.sync() })
    this.connection.once('end', () => this.#onEnd())
  }

  /** The dial connects it, and the stand-in of that does not ask it to. */
  connect(): void {
    throw new Error('a simulated client is connected by its dial')
  }

  /** The handshake is over. */
  attach(link: Link): void {
    this.#link = link
    this._connected = true
    link.hearing((message) => this.#hear(message))
  }

  get host(): string | undefined {
    return this.#link?.server.key
  }

  ref(): void {
    // Nothing keeps a simulated process alive.
  }

  unref(): void {
    // Nor this.
  }

  query(statement: Pick<Statement, 'text'> & Partial<Statement>, _values: unknown, answer: Answer): void {
    if (!this._queryable || this._ending || this.#link === undefined) {
      const why = this._ending
        ? 'Client was closed and is not queryable'
        : 'Client has encountered a connection error and is not queryable'
      process.nextTick(answer, new Error(why))
      return
    }
    this.#active = answer
    const { id, work = 0, gap = 0, text } = statement
    const asks = (Object.keys(questions) as Question[]).find((each) => text.includes(questions[each]))
    if (id !== undefined) onStage().onSend(id, this.#link.server.key)
    this.#link.execute({ id, work, gap, asks, writes: text.startsWith('insert') })
  }

  end(callback?: () => void): Promise<void> {
    this._ending = true
    const ended = new Promise<void>((resolve) => {
      const done = (): void => {
        callback?.()
        resolve()
      }
      if (!this._connected || this._ended) done()
      else this.connection.once('end', done)
    })
    if (!this._queryable || this.#active !== undefined) this.connection.stream.destroy()
    else if (this._connected && !this._ended) {
      this.#link?.close(true)
      this.connection.stream.writable = false
      process.nextTick(() => this.connection.stream.emit('finish'))
    }
    return ended
  }

  #destroyed(): void {
    this.#link?.close(false)
    if (this._connected && !this._ended) process.nextTick(() => this.connection.emit('end'))
  }

  #hear(message: Message): void {
    switch (message.type) {
      case 'ready':
      case 'told':
        this.connection.emit('readyForQuery')
        return
      case 'done': {
        const active = this.#active
        this.#active = undefined
        active?.(undefined, { rows: message.rows })
        this.connection.emit('readyForQuery')
        return
      }
      case 'notice':
        this.connection.emit('notice', { code: message.code })
        return
      case 'error': {
        const error = serverError(message)
        this.connection.emit('errorMessage', error)
        const active = this.#active
        this.#active = undefined
        if (active === undefined) this.#fail(error)
        else active(error)
        if (message.severity === 'ERROR') this.connection.emit('readyForQuery')
        return
      }
      case 'end': {
        // A socket error after Terminate is nothing that pg tells.
        if (message.code !== undefined && !this._ending) {
          const error = Object.assign(new Error(`read ${message.code}`), { code: message.code })
          this.connection.emit('error', error)
          this.#fail(error)
        }
        this.connection.stream.destroyed = true
        this.connection.stream.writable = false
        this.connection.emit('end')
        return
      }
      default:
        message satisfies never
    }
  }

  #onEnd(): void {
    const error = new Error(this._ending ? 'Connection terminated' : 'Connection terminated unexpectedly')
    this.#errorAll(error)
    this._ended = true
    if (!this._ending && this._connected) this.#fail(error)
    process.nextTick(() => this.emit('end'))
  }

  #fail(error: Error): void {
    this._queryable = false
    this.#errorAll(error)
    this.emit('error', error)
  }

  #errorAll(error: Error): void {
    const active = this.#active
    this.#active = undefined
    if (active !== undefined) process.nextTick(active, error)
  }
}
