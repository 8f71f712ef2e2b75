import { setTimeout as sleep } from 'node:timers/promises'
import { sharedNow } from '../support/clock'
import { serve } from '../../test/support/child'
import { handWritten } from './contenders/hand-written'
import { pgLeader } from './contenders/pg-leader'
import { pgPool } from './contenders/pg-pool'
import { postgresJs } from './contenders/postgres-js'
import type { Contender, ContenderName, ContenderOptions } from './contenders/contender'
import { failureName, noAnswer } from './operation'
import type { Kind, Operation } from './operation'

const contenders: Readonly<Record<ContenderName, (options: ContenderOptions) => Contender>> = {
  'pg.Pool': pgPool,
  'hand-written': handWritten,
  'postgres.js': postgresJs,
  'pg-leader': pgLeader,
}

export interface WorkloadOptions extends ContenderOptions {
  readonly contender: ContenderName
  readonly run: number
  readonly writers: number
  /** Callers of each kind that may be sent again. */
  readonly others: number
  /** A caller starts its next statement no sooner than this after it started the last one. */
  readonly paceMillis: number
}

/** Everything that happened. */
export interface Result {
  readonly operations: readonly Operation[]
  readonly noticedAt: readonly number[]
}

/** The process that holds one contender and its callers. */
export type WorkloadProcess = {
  /** Starts the callers and resolves when each has had its first acknowledgement. */
  start(options: WorkloadOptions): Promise<void>
  /** The highest number given away so far. */
  mark(argument?: undefined): number
  /** No new statements; resolves with everything, what is open after `graceMillis` being without an answer. */
  stop(options: { readonly graceMillis: number }): Promise<Result>
}

export function serveWorkload(): void {
  // What a contender throws out of nowhere is not to end the measurement.
  const strays: string[] = []
  process.on('uncaughtException', (error) => strays.push(failureName(error)))
  let callers: Callers
  serve({
    start: (options: WorkloadOptions) => (callers = new Callers(options)).started,
    mark: () => callers.lastId,
    stop: async ({ graceMillis }: { graceMillis: number }) => {
      const result = await callers.stop(graceMillis)
      if (strays.length > 0) console.log('uncaught in the workload:', new Set(strays))
      return result
    },
  } satisfies WorkloadProcess)
}

class Callers {
  readonly started: Promise<void>
  lastId = 0
  readonly #options: WorkloadOptions
  readonly #operations: Operation[] = []
  readonly #open = new Map<number, { readonly kind: Kind; readonly startedAt: number }>()
  readonly #done: Promise<unknown>
  readonly #noticedAt: readonly number[]
  #stopping = false

  constructor(options: WorkloadOptions) {
    this.#options = options
    const { insert, upsert, read, noticedAt = [] } = contenders[options.contender](options)
    this.#noticedAt = noticedAt
    const { run, writers, others } = options
    const plan: [Kind, number, ((id: number) => Promise<number>) | undefined][] = [
      ['insert', writers, (id) => insert(run, id)],
      ['upsert', others, upsert && ((id) => upsert(run, id))],
      ['read', others, read && (() => read())],
    ]
    const callers = plan.flatMap(([kind, count, operate]) =>
      operate === undefined
        ? []
        : Array.from({ length: count }, (_, index) => this.#caller(kind, operate, index / count)),
    )
    this.started = Promise.all(callers.map(({ started }) => started)).then(() => undefined)
    this.#done = Promise.all(callers.map(({ ended }) => ended))
  }

  async stop(graceMillis: number): Promise<Result> {
    this.#stopping = true
    await Promise.race([this.#done, sleep(graceMillis)])
    const endedAt = sharedNow()
    const open = [...this.#open].map(([id, { kind, startedAt }]) => ({
      kind,
      id,
      startedAt,
      endedAt,
      failure: noAnswer,
    }))
    return { operations: [...this.#operations, ...open], noticedAt: this.#noticedAt }
  }

  #caller(
    kind: Kind,
    operate: (id: number) => Promise<number>,
    phase: number,
  ): { started: Promise<void>; ended: Promise<void> } {
    let start = (): void => undefined
    const started = new Promise<void>((resolve) => (start = resolve))
    const { paceMillis } = this.#options
    const run = async (): Promise<void> => {
      await sleep(phase * paceMillis)
      while (!this.#stopping) {
        const next = sharedNow() + paceMillis
        if (await this.#operate(kind, operate)) start()
        // A caller that fails at once does not hammer: it would take the processor from everybody else.
        await sleep(Math.max(0, next - sharedNow()))
      }
    }
    return { started, ended: run() }
  }

  async #operate(kind: Kind, operate: (id: number) => Promise<number>): Promise<boolean> {
    const id = (this.lastId += 1)
    const startedAt = sharedNow()
    this.#open.set(id, { kind, startedAt })
    try {
      const port = await operate(id)
      this.#operations.push({ kind, id, startedAt, endedAt: sharedNow(), port })
      return true
    } catch (error) {
      this.#operations.push({ kind, id, startedAt, endedAt: sharedNow(), failure: failureName(error) })
      return false
    } finally {
      this.#open.delete(id)
    }
  }
}
