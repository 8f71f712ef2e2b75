import { setTimeout as sleep } from 'node:timers/promises'
import { sharedNow } from '../bench/support/clock'
import { Pool } from '../src/index'
import type { HostRole } from '../src/index'
import { spyClient } from '../test/integration/outcome/support/spy-client'
import { serve } from '../test/support/child'
import type { Answer, Kind, Open } from './answer'
import { countConnects } from './connects'
import { answeredCommits, call, workers } from './workers'
import type { Worker } from './workers'

/** A caller starts its next call no sooner than this after it started the last one. */
const paceMillis = 30
/** How long sockets may take to close after `pool.end()`. */
const closingMillis = 5000

export interface LoadOptions {
  /** What every row's name begins with. */
  readonly name: string
  readonly connectionString: string
  readonly failoverTimeoutMillis: number
  readonly monitorIntervalMillis: number
  /** Half of the transactions do not wait for a standby, whatever the server's default is. */
  readonly lossy: boolean
}

/** What there was, and what was held, since the last look. */
export interface Take {
  readonly answers: readonly Answer[]
  readonly heapBytes: number
  readonly sockets: number
  /** What the pool believes of each host. */
  readonly roles: Readonly<Record<string, HostRole>>
  readonly generation: number
}

/** What was left when everything was over. */
export interface Remains {
  readonly answers: readonly Answer[]
  readonly open: readonly Open[]
  /** What `pool.end()` left behind of timers, sockets and requests. */
  readonly resources: readonly string[]
  /** Errors that nobody caught. */
  readonly strays: readonly string[]
  /** Attempts to connect in the busiest second, by host. */
  readonly busiest: Readonly<Record<string, number>>
}

/** The process under test: one pool and all its callers. */
export type SoakClient = {
  /** Resolves when each caller has been answered once. */
  start(options: LoadOptions): Promise<void>
  take(argument?: undefined): Take
  /** Keeps the event loop from running for so long. */
  block(millis: number): void
  /** No new calls; what is without an answer after `graceMillis` is said to be open. Then the pool is ended. */
  stop(options: { readonly graceMillis: number }): Promise<Remains>
}

class Load {
  readonly pool: Pool
  readonly started: Promise<void>
  readonly #name: string
  readonly #open = new Map<string, Open>()
  readonly #done: Promise<unknown>
  #answers: Answer[] = []
  #stopping = false

  constructor({ name, connectionString, failoverTimeoutMillis, monitorIntervalMillis, lossy }: LoadOptions) {
    this.#name = name
    this.pool = new Pool({
      connectionString,
      failoverTimeoutMillis,
      monitor: { intervalMillis: monitorIntervalMillis },
      application_name: 'pg-leader-soak',
      max: 12,
      Client: spyClient((attempt) => answeredCommits.add(attempt)),
    })
    this.pool.on('splitBrain', ({ hosts }) => console.log(`split brain between ${hosts.join(' and ')}`))
    const kinds = Object.entries(workers) as [Kind, (typeof workers)[Kind]][]
    const callers = kinds.flatMap(([kind, { count }]) =>
      Array.from({ length: count }, (_each, worker) =>
        this.#caller({ kind, worker, lossy: lossy && worker % 2 === 0 }, worker / count),
      ),
    )
    this.started = Promise.all(callers.map(({ started }) => started)).then(() => undefined)
    this.#done = Promise.all(callers.map(({ ended }) => ended))
  }

  take(): readonly Answer[] {
    const answers = this.#answers
    this.#answers = []
    return answers
  }

  async stop(graceMillis: number): Promise<readonly Open[]> {
    this.#stopping = true
    await within(graceMillis, this.#done)
    const open = [...this.#open.values()]
    if (!(await within(closingMillis, this.pool.end()))) strays.push('pool.end() did not resolve')
    return open
  }

  #caller(who: Worker, phase: number): { started: Promise<void>; ended: Promise<void> } {
    const { kind, worker } = who
    let start = (): void => undefined
    const started = new Promise<void>((resolve) => (start = resolve))
    const run = async (): Promise<void> => {
      await sleep(phase * paceMillis)
      for (let number = 0; !this.#stopping; number += 1) {
        const next = sharedNow() + paceMillis
        const id = `${this.#name}/${kind}/${worker}/${number}`
        this.#open.set(id, { kind, id, startedAt: sharedNow() })
        const answer = await call(this.pool, who, id, sharedNow)
        this.#answers.push(answer)
        this.#open.delete(id)
        start()
        await sleep(Math.max(0, next - sharedNow()))
      }
    }
    return { started, ended: run() }
  }
}

const strays: string[] = []
process.on('uncaughtException', (error) => strays.push(String(error)))
process.on('unhandledRejection', (error) => strays.push(String(error)))

const connects = countConnects()
let load: Load
let before: readonly string[] = []

serve({
  start: (options) => {
    before = process.getActiveResourcesInfo()
    load = new Load(options)
    return load.started
  },
  take: () => {
    globalThis.gc?.()
    const sockets = process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length
    const { hosts, generation } = load.pool.topology
    const roles = Object.fromEntries(hosts.map(({ host, role }) => [host, role]))
    return { answers: load.take(), heapBytes: process.memoryUsage().heapUsed, sockets, roles, generation }
  },
  block: (millis) => {
    const until = sharedNow() + millis
    while (sharedNow() < until);
  },
  stop: async ({ graceMillis }) => {
    const open = await load.stop(graceMillis)
    return { answers: load.take(), open, resources: await resourcesLeft(), strays, busiest: connects.busiest() }
  },
} satisfies SoakClient)

/** Whether it was settled in time; no timer is left of it. */
async function within(millis: number, work: Promise<unknown>): Promise<boolean> {
  const waiting = new AbortController()
  const late = sleep(millis, false, { signal: waiting.signal }).catch(() => false)
  const settled = await Promise.race([work.then(() => true), late])
  waiting.abort()
  return settled
}

/** Those that were not there before there was a pool, when those that are about to go had the time to. */
async function resourcesLeft(): Promise<readonly string[]> {
  const until = sharedNow() + closingMillis
  for (;;) {
    const left = process.getActiveResourcesInfo().sort()
    for (const resource of before) {
      const index = left.indexOf(resource)
      if (index >= 0) left.splice(index, 1)
    }
    if (left.length === 0 || sharedNow() > until) return left
    // Not by a timer, which would be one of them.
    await new Promise((resolve) => setImmediate(resolve))
  }
}
