import { isOutcomeUnknownError } from '../src/index'
import type { Pool } from '../src/index'
import { Latency } from './latency'

export const REQUESTS_PER_SECOND = 400

/** What an application does: half of it reads; of the writes all may be sent twice but one in five. */
const MIX = ['read', 'order', 'read', 'order', 'read', 'order', 'read', 'order', 'read', 'event'] as const
type Kind = (typeof MIX)[number]

/** A write that a server acknowledged: which one, and when. */
export interface Acknowledgement {
  readonly id: number
  readonly kind: 'order' | 'event'
  /** Undefined where the answer of a repeated statement does not tell. */
  readonly port: number | undefined
  readonly at: number
}

/** Makes the two tables: one whose rows can be written only once, and one that would show every row written twice. */
export async function createTables(pool: Pool): Promise<void> {
  await pool.query('create table demo_order (id bigint primary key)')
  await pool.query('create table demo_event (id bigint not null)')
}

/**
 * An application with visitors: requests arrive at a steady rate whether or not earlier ones were answered. This is all
 * it does about failovers.
 */
export class Load {
  readonly latency: Latency
  readonly acknowledged: Acknowledgement[] = []
  /** Ids of plain inserts whose fate nobody could tell. */
  readonly unknown: number[] = []
  readonly failures = new Map<string, number>()
  issued = 0
  failed = 0
  readonly #pool: Pool
  readonly #start: number
  readonly #running = new Set<Promise<void>>()
  readonly #timer: NodeJS.Timeout

  constructor(pool: Pool, start: number) {
    this.#pool = pool
    this.#start = start
    this.latency = new Latency(start)
    this.#timer = setInterval(() => this.#issueDue(), 10)
  }

  get answered(): number {
    return this.issued - this.#running.size - this.failed - this.unknown.length
  }

  /** No new requests. */
  stop(): void {
    clearInterval(this.#timer)
  }

  /** Resolves when every request was answered. */
  async settled(): Promise<void> {
    await Promise.all(this.#running)
  }

  #issueDue(): void {
    const due = ((performance.now() - this.#start) / 1000) * REQUESTS_PER_SECOND
    while (this.issued < due) {
      const request = this.#request(++this.issued).finally(() => this.#running.delete(request))
      this.#running.add(request)
    }
  }

  async #request(id: number): Promise<void> {
    const kind: Kind = MIX[id % MIX.length] ?? 'read'
    this.latency.issued(id, performance.now())
    try {
      const port = await this.#ask(kind, id)
      if (kind !== 'read') this.acknowledged.push({ id, kind, port, at: performance.now() })
    } catch (error) {
      this.#count(kind, id, error)
    }
    this.latency.answered(id, performance.now())
  }

  async #ask(kind: Kind, id: number): Promise<number | undefined> {
    const values = [id]
    switch (kind) {
      case 'read': {
        const text = 'select * from demo_order where id < $1 order by id desc limit 10'
        await this.#pool.query({ text, values, readOnly: true })
        return undefined
      }
      case 'order': {
        const text =
          'insert into demo_order (id) values ($1) on conflict do nothing returning inet_server_port() as port'
        const { rows } = await this.#pool.query<{ port: number }>({ text, values, idempotent: true })
        return rows[0]?.port
      }
      case 'event': {
        const text = 'insert into demo_event (id) values ($1) returning inet_server_port() as port'
        const { rows } = await this.#pool.query<{ port: number }>(text, values)
        return rows[0]?.port
      }
      default:
        return kind satisfies never
    }
  }

  #count(kind: Kind, id: number, error: unknown): void {
    if (kind === 'event' && isOutcomeUnknownError(error)) {
      this.unknown.push(id)
      return
    }
    this.failed += 1
    const message = `${kind}: ${error instanceof Error ? error.message : String(error)}`
    this.failures.set(message, (this.failures.get(message) ?? 0) + 1)
  }
}
