import pg from 'pg'
import { loadLibrary } from '../support/built-library'
import { serve } from '../../test/support/child'
import { sharedNow } from '../support/clock'
import type { Target } from '../support/target'
import { applicationName, insertText } from './statements'

export interface HoldOptions {
  readonly target: Target
  readonly library: string
  readonly max: number
  readonly run: number
}

/** All calls have been made. Shared clock. */
export interface Issued {
  readonly from: number
  readonly to: number
  /** Everything that lives because of one held call: the caller's promise, the call, its place in the line. */
  readonly heapBytesPerQuery: number
}

/** All calls have settled. */
export interface Answered {
  readonly answered: number
  readonly failures: readonly string[]
  readonly doneAt: number
  readonly longestMillis: number
  /** The numbers of the calls in the order in which they were given to a client. */
  readonly startOrder: readonly number[]
  /** The highest `totalCount` at any event of the pool. */
  readonly mostClients: number
}

/** The process that is held; started with `--expose-gc`. */
export type HoldProcess = {
  /** Resolves when `max` clients are connected. */
  open(options: HoldOptions): Promise<void>
  /** Waits for the loss of the leader, then makes all calls at once. */
  issue(options: { readonly queries: number }): Promise<Issued>
  answers(argument?: undefined): Promise<Answered>
}

export function serveHoldClient(): void {
  let calls: Calls
  serve({
    open: (options: HoldOptions) => {
      calls = new Calls(options)
      return calls.connect()
    },
    issue: ({ queries }) => calls.issue(queries),
    answers: () => calls.answers(),
  } satisfies HoldProcess)
}

class Calls {
  readonly #run: number
  readonly #max: number
  readonly #pool: ReturnType<typeof openPool>
  readonly #startOrder: number[] = []
  #mostClients = 0
  #calls: readonly Promise<number>[] = []

  constructor(options: HoldOptions) {
    this.#run = options.run
    this.#max = options.max
    this.#pool = openPool(options, this.#startOrder)
    const look = (): void => {
      this.#mostClients = Math.max(this.#mostClients, this.#pool.totalCount)
    }
    for (const event of ['connect', 'acquire', 'release', 'remove'] as const) this.#pool.on(event, look)
  }

  async connect(): Promise<void> {
    await Promise.all(Array.from({ length: this.#max }, () => this.#pool.query('select pg_sleep(0.1)')))
  }

  async issue(queries: number): Promise<Issued> {
    const pool = this.#pool
    if (pool.topology.leader !== undefined) {
      await new Promise<void>((resolve) => {
        pool.on('topology', ({ leader }) => {
          if (leader === undefined) resolve()
        })
      })
    }
    const before = liveBytes()
    const from = sharedNow()
    this.#calls = Array.from({ length: queries }, (_, n) => this.#call(n))
    const to = sharedNow()
    return { from, to, heapBytesPerQuery: (liveBytes() - before) / queries }
  }

  async answers(): Promise<Answered> {
    const settled = await Promise.allSettled(this.#calls)
    const waited = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    return {
      answered: waited.length,
      failures: settled.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : [])),
      doneAt: sharedNow(),
      longestMillis: Math.max(0, ...waited),
      startOrder: this.#startOrder,
      mostClients: this.#mostClients,
    }
  }

  #call(n: number): Promise<number> {
    const startedAt = sharedNow()
    return this.#pool.query(insertText, [this.#run, n]).then(() => sharedNow() - startedAt)
  }
}

function openPool({ target, library, max }: HoldOptions, startOrder: number[]) {
  const { Pool } = loadLibrary(library)
  const { hosts, user, password, database } = target

  /** Notes which call it is given, at the moment when it is given it. */
  class NotingClient extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      super({ ...config, application_name: applicationName })
      const query = this.query.bind(this) as (...args: unknown[]) => unknown
      const noting = (...args: unknown[]): unknown => {
        const [text, values] = args
        if (text === insertText) startOrder.push((values as [number, number])[1])
        return query(...args)
      }
      this.query = noting as typeof this.query
    }
  }

  return new Pool({
    host: hosts.map(({ host }) => host).join(','),
    port: hosts.map(({ port }) => port).join(','),
    ...{ user, password, database, max },
    Client: NotingClient,
  })
}

function liveBytes(): number {
  const { gc } = globalThis
  if (gc === undefined) throw new Error('this process needs --expose-gc')
  // Twice: what the first round only marks as dead.
  gc()
  gc()
  return process.memoryUsage().heapUsed
}
