import type { EventEmitter } from 'node:events'
import type pg from 'pg'

const poolEvents = ['connect', 'acquire', 'release', 'remove', 'error'] as const

/**
 * Writes down what a user can see, in the order in which it is seen, so that two implementations can be compared line by
 * line. What differs between two runs of the same implementation (process ids, ports) never gets in; a client is named
 * after the order of its first appearance.
 */
export class Recorder {
  readonly lines: string[] = []
  readonly #names = new Map<object, string>()
  readonly #kinds = new Map<string, number>()

  readonly note = (what: string, ...details: unknown[]): void => {
    this.lines.push([what, ...details.map((detail) => this.describe(detail))].join(' '))
  }

  /** Notes every event of the pool with its arguments. `error` counts as listened to. */
  readonly watch = (pool: pg.Pool, events: readonly string[] = poolEvents): void => {
    for (const event of events) {
      pool.on(event as 'connect', (...args: unknown[]) => {
        this.note(`event ${event}`, ...args)
      })
    }
  }

  readonly counts = (pool: pg.Pool): void => {
    const { totalCount, idleCount, waitingCount, expiredCount } = pool
    this.note(`counts total=${totalCount} idle=${idleCount} waiting=${waitingCount} expired=${expiredCount}`)
  }

  describe(value: unknown): string {
    if (value instanceof Error) return this.#error(value)
    if (isClient(value)) return this.#name(value, 'client')
    if (typeof value === 'function') return 'function'
    if (typeof value === 'object' && value !== null) return JSON.stringify(value)
    return String(value)
  }

  #name(value: object, kind: string): string {
    let name = this.#names.get(value)
    if (name === undefined) {
      const count = (this.#kinds.get(kind) ?? 0) + 1
      this.#kinds.set(kind, count)
      name = `${kind}#${count}`
      this.#names.set(value, name)
    }
    return name
  }

  #error(error: Error): string {
    const fields = ['code', 'severity', 'position', 'routine', 'syscall'] as const
    const shown = fields.flatMap((field) => {
      const value = (error as unknown as Record<string, string | undefined>)[field]
      return value === undefined ? [] : [`${field}=${value}`]
    })
    const cause = error.cause === undefined ? [] : [`cause=(${this.describe(error.cause)})`]
    const client = 'client' in error ? [`client=${this.describe(error.client)}`] : []
    const message = error.message.replaceAll(/:\d{4,5}\b/g, ':PORT')
    return `${this.#name(error, 'error')}<${[error.name, message, ...shown, ...client, ...cause].join(' | ')}>`
  }
}

function isClient(value: unknown): value is EventEmitter {
  return typeof value === 'object' && value !== null && 'connectionParameters' in value
}
