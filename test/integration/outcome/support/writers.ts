import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { Host } from '../../../support'
import { isOutcomeUnknownError, isResultLostError, Pool } from '../../../../src/index'
import type { PoolConfig } from '../../../../src/index'
import { nameAttempt, spyClient } from './spy-client'

/** Where a transaction leaves its mark: the truth that every verdict is held against. */
export const truthTable = 'create table truth (attempt text not null)'

/** One call of `pool.transaction`, with all its attempts. */
export interface Call {
  readonly id: string
  /** The attempts that were begun, in order; each wrote a row with its own name. */
  readonly attempts: string[]
  /** What the call ended with: the attempt whose value it returned, or an error. */
  result: { readonly value: string } | { readonly error: Error } | undefined
}

/** What was found of one lot of calls. */
export interface Audit {
  readonly calls: number
  /** Attempts whose fate was looked up, by what was said of them. */
  readonly committed: number
  readonly aborted: number
  /** The reasons of the unknown ones. */
  readonly unknown: readonly string[]
  /** Attempts of which the wrong thing was said; of calls that were executed twice; of calls that failed otherwise. */
  readonly wrong: readonly string[]
  readonly twice: readonly string[]
  readonly failed: readonly Error[]
  /** Acknowledged by a server whose history was cut off behind them. */
  readonly lost: number
}

const insert = 'insert into truth values ($1)'

/** Callers that write one row after another, each in a transaction or by a statement of its own. */
export class Writers {
  readonly pool: Pool
  readonly #answered = new Set<string>()
  readonly #left = new Set<string>()
  readonly #calls: Call[] = []
  #running: Promise<void>[] = []
  #stopping = false
  /** The table is there for all rounds. */
  readonly #name = randomUUID().slice(0, 8)

  constructor(config: PoolConfig) {
    this.pool = new Pool({ ...config, Client: spyClient((attempt) => this.#answered.add(attempt), insert) })
    this.pool.on('error', () => undefined)
  }

  /** `work` is done in every transaction before its row is written. */
  start(count: number, work: (client: pg.PoolClient, worker: number) => Promise<unknown>): void {
    this.#stopping = false
    for (let worker = 0; worker < count; worker += 1)
      this.#running.push(this.#write(`${this.#name}/${worker}`, (client) => work(client, worker)))
  }

  /** Single statements, marked `exactlyOnce`. */
  startOnce(count: number): void {
    for (let worker = 0; worker < count; worker += 1) {
      this.#running.push(
        this.#repeat(`${this.#name}/once ${worker}`, (call) => {
          call.attempts.push(call.id)
          return this.pool.query({ text: insert, values: [call.id], exactlyOnce: true }).then(() => call.id)
        }),
      )
    }
  }

  /** Transactions of somebody's own, as an ORM makes them: begun again unless nobody knows what became of them. */
  startCommits(count: number): void {
    for (let worker = 0; worker < count; worker += 1) {
      this.#running.push(this.#repeat(`${this.#name}/commit ${worker}`, (call) => this.#commit(call)))
    }
  }

  async #commit(call: Call): Promise<string> {
    for (;;) {
      const attempt = `${call.id}#${call.attempts.length}`
      call.attempts.push(attempt)
      const client = await this.pool.connect()
      nameAttempt(client, attempt)
      try {
        await client.query('begin')
        await client.query(insert, [attempt])
        await client.query('commit')
        client.release()
        return attempt
      } catch (error) {
        client.release(true)
        if (isOutcomeUnknownError(error)) throw error
      }
    }
  }

  /** Resolves when so many more transactions have been committed. */
  async progress(count: number): Promise<void> {
    const until = this.#answered.size + count
    while (this.#answered.size < until) await new Promise((resolve) => setTimeout(resolve, 1))
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all(this.#running.splice(0))
  }

  #write(worker: string, work: (client: pg.PoolClient) => Promise<unknown>): Promise<void> {
    return this.#repeat(worker, (call) =>
      this.pool.transaction(async (client) => {
        const attempt = `${call.id}#${call.attempts.length}`
        call.attempts.push(attempt)
        nameAttempt(client, attempt)
        await work(client)
        await client.query(insert, [attempt])
        return attempt
      }),
    )
  }

  async #repeat(worker: string, run: (call: Call) => Promise<string>): Promise<void> {
    for (let count = 0; !this.#stopping && !this.pool.ending; count += 1) {
      const call: Call = { id: `${worker}/${count}`, attempts: [], result: undefined }
      this.#calls.push(call)
      call.result = await run(call).then(
        (value) => ({ value }),
        (error: unknown) => ({ error: error as Error }),
      )
    }
  }

  /**
   * Until now nobody could know that this host had been left by history: what stands there may be said to be committed, as it
   * may be acknowledged. Whatever the survivor lacks of it is lost.
   */
  async leave(host: Host): Promise<void> {
    const rows = await host.query<{ attempt: string }>('select attempt from truth where attempt like $1', [
      `${this.#name}/%`,
    ])
    for (const { attempt } of rows) this.#left.add(attempt)
  }

  /** Compares what the calls were told with what stands in the table, and forgets them. */
  async audit(): Promise<Audit> {
    const { rows } = await this.pool.query<{ attempt: string }>('select attempt from truth where attempt like $1', [
      `${this.#name}/%`,
    ])
    const written = new Set(rows.map(({ attempt }) => attempt))
    const calls = this.#calls.splice(0)
    const unknown: string[] = []
    const wrong: string[] = []
    const failed: Error[] = []
    let committed = 0
    let aborted = 0
    let lost = 0
    for (const call of calls) {
      const { result } = call
      const last = call.attempts.at(-1)
      // What was run again was said to be rolled back.
      for (const attempt of call.attempts.slice(0, -1)) {
        aborted += 1
        if (written.has(attempt)) wrong.push(`${attempt} was run again, and is there`)
      }
      if (result === undefined || last === undefined) continue
      // Committed it is as well if only its answer was lost.
      const error = 'error' in result ? result.error : undefined
      const value = 'value' in result ? result.value : isResultLostError(error) ? last : undefined
      if (value !== undefined) {
        const isThere = written.has(value)
        if (!this.#answered.has(value)) {
          committed += 1
          if (!isThere && this.#left.has(value)) lost += 1
          else if (!isThere) wrong.push(`${value} was said to be committed, and is not there`)
        } else if (!isThere) lost += 1
      } else if (isOutcomeUnknownError(error)) unknown.push(reasonOf(error))
      else if (error !== undefined) {
        failed.push(error)
        if (written.has(last)) wrong.push(`${last} failed with ${error.message}, and is there`)
      }
    }
    const counts = new Map<string, number>()
    for (const { attempt } of rows) {
      const id = attempt.replace(/#.*/, '')
      counts.set(id, (counts.get(id) ?? 0) + 1)
    }
    const twice = [...counts].filter(([, count]) => count > 1).map(([id]) => id)
    return { calls: calls.length, committed, aborted, unknown, wrong, twice, failed, lost }
  }
}

/** Why it stayed unknown, out of what the caller is told. */
export function reasonOf({ message }: Error): string {
  return (
    /, and (?:with it [^,]*, and )?(.*): (?:the transaction was committed|it was executed once)/.exec(message)?.[1] ??
    message
  )
}
