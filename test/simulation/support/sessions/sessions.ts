import { outsideSession } from '../../../../src/execution/session-scope'
import type { Pool } from '../../../../src/facade/pool'
import type { Book, Kind } from '../pool/book'
import type { VirtualClock } from '../pool/clock'
import type { Statement } from '../pool/sim-client'
import type { Done } from './checker'
import type { Act } from './history'
import type { Seen } from './replicated-world'

/** Of a read: where it was answered, and what it saw. */
interface Answer {
  readonly rows: readonly unknown[]
}

/** The sessions of an application: each does one thing after the other, and writes down what has succeeded. */
export class Sessions {
  readonly done: Done[] = []
  readonly failed: unknown[] = []
  /** What is under way. */
  open = 0
  readonly #pool: Pool
  readonly #book: Book
  readonly #clock: VirtualClock

  constructor(pool: Pool, book: Book, clock: VirtualClock) {
    this.#pool = pool
    this.#book = book
    this.#clock = clock
  }

  /** To be called inside of the session. */
  run(session: number, acts: readonly Act[]): Promise<void> {
    return this.#note(async () => {
      for (const act of acts) {
        await this.#note(() => this.#act(session, act))
        await new Promise<void>((resolve) => void this.#clock.later('news', act.pauseMillis, resolve))
      }
    })
  }

  async #note(work: () => Promise<void>): Promise<void> {
    this.open += 1
    try {
      await work()
    } catch (error) {
      this.failed.push(error)
    }
    this.open -= 1
  }

  async #act(session: number, { act, work }: Act): Promise<void> {
    switch (act) {
      case 'write':
        return this.#write(session, (id) => this.#pool.query(insert(id, work)))
      case 'checkout':
        return this.#write(session, (id) => this.#onClient(this.#pool, insert(id, work)))
      case 'read':
        return this.#read(session, work)
      case 'two reads':
        await Promise.all([
          this.#note(() => this.#read(session, work)),
          this.#note(() => this.#read(session, 10 - work)),
        ])
        return
      case 'held read':
        return this.#read(session, work, (statement) => this.#onClient(this.#pool.readOnly, statement))
      case 'token': {
        const after = this.done.flatMap(({ wrote }) => (wrote === undefined ? [] : [wrote]))
        const token = await this.#pool.position()
        void outsideSession(() =>
          this.#note(() =>
            this.#read(
              undefined,
              work,
              (statement) => this.#pool.query({ ...statement, after: token } as never),
              after,
            ),
          ),
        )
        return
      }
      default:
        act satisfies never
    }
  }

  async #write(session: number, execute: (id: number) => Promise<unknown>): Promise<void> {
    const id = this.#called('write')
    const began = performance.now()
    await execute(id)
    this.done.push({ session, began, ended: performance.now(), wrote: id })
  }

  async #onClient(pool: Pick<Pool, 'connect'>, statement: Statement): Promise<Answer> {
    const client = await pool.connect()
    try {
      const answer = await new Promise<Answer>((resolve, reject) => {
        const told = (error: Error | null | undefined, result: Answer): void =>
          error ? reject(error) : resolve(result)
        client.query(statement as never, [], told as never)
      })
      client.release()
      return answer
    } catch (error) {
      client.release(error as Error)
      throw error
    }
  }

  async #read(
    session: number | undefined,
    work: number,
    execute: (statement: Statement) => Promise<Answer> = (statement) => this.#pool.query(statement as never),
    after?: readonly number[],
  ): Promise<void> {
    const id = this.#called('read')
    const began = performance.now()
    const statement = { text: `select (${id})`, id, work, gap: 0, readOnly: true }
    const [row] = (await execute(statement)).rows
    if (row === undefined) throw new Error('a read without an answer')
    const { seen: writes, host, leads } = row as Seen
    const saw = { writes, host, leads }
    this.done.push({ session, began, ended: performance.now(), saw, ...(after !== undefined && { after }) })
  }

  #called(kind: Kind): number {
    return this.#book.called(kind).id
  }
}

function insert(id: number, work: number): Statement {
  return { text: `insert into ledger values (${id})`, id, work, gap: 2 }
}
