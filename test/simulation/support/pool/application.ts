import type { PoolClient } from 'pg'
import type { Pool } from '../../../../src/facade/pool'
import type { Book, Entry, Kind } from './book'
import type { VirtualClock } from './clock'
import type { Calls } from './history'
import type { Statement } from './sim-client'

/** The words with which each kind of call begins. */
const words: Readonly<Record<Kind, string>> = {
  write: 'insert into ledger values',
  idempotent: 'insert into ledger values',
  read: 'select',
  procedure: 'call work',
  checkout: 'insert into ledger values',
}

type Settle = (error: unknown) => void

/** The application: it calls the pool in both of its forms, and writes down what it is told. */
export class Application {
  readonly #pool: Pool
  readonly #book: Book
  readonly #clock: VirtualClock

  constructor(pool: Pool, book: Book, clock: VirtualClock) {
    this.#pool = pool
    this.#book = book
    this.#clock = clock
  }

  call(calls: Calls): void {
    for (let n = 0; n < calls.times; n += 1) this.#call(calls)
  }

  /** One call of every kind. */
  callAll(): readonly Entry[] {
    const some = { do: 'call', times: 1, work: 5, gap: 1, promised: true, patience: undefined } as const
    return (Object.keys(words) as Kind[]).map((kind) => this.#call({ ...some, kind }))
  }

  #call({ kind, work, gap, promised, patience }: Calls): Entry {
    const entry = this.#book.called(kind)
    const statement = {
      text: `${words[kind]} (${entry.id})`,
      id: entry.id,
      work,
      gap,
      ...(kind === 'idempotent' && { idempotent: true }),
      ...(kind === 'read' && { readOnly: true }),
      ...(patience !== undefined && { signal: this.#patience(patience) }),
    }
    const settle: Settle = (error) => this.#book.settled(entry.id, error)
    if (kind === 'checkout') this.#checkOut(statement, promised, settle)
    else if (promised) this.#pool.query(statement).then(() => settle(undefined), settle)
    else this.#pool.query(statement as never, [], settle)
    return entry
  }

  #checkOut(statement: Statement, promised: boolean, settle: Settle): void {
    const use = (client: PoolClient): void => {
      // Where nobody listens, a client that is lost while it is checked out must not end the process.
      client.query(statement as never, [], (error: Error | null | undefined) => {
        client.release(error ?? undefined)
        settle(error)
      })
    }
    if (promised) this.#pool.connect().then(use, settle)
    else this.#pool.connect((error, client) => (client === undefined ? settle(error) : use(client)))
  }

  #patience(millis: number): AbortSignal {
    const controller = new AbortController()
    this.#clock.later('news', millis, () => controller.abort())
    return controller.signal
  }
}
