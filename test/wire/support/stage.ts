import type pg from 'pg'
import { expect } from 'vitest'
import { poll } from '../../support/poll'
import { FaultProxy } from '../../support/fault-proxy'
import { Client, Pool } from '../../../src/index'
import type { PoolConfig } from '../../../src/index'
import { FakeServer } from './fake-server'
import type { FakeServerOptions } from './fake-server'
import { password } from './greeting'

/** Quick enough for a test; nothing here is decided by how quick. */
const monitor = { intervalMillis: 50, leaderlessIntervalMillis: 5, timeoutMillis: 500 }

export type AnyPool = new (config: PoolConfig & pg.PoolConfig) => pg.Pool

/** Makes servers, pools and calls for one test, and finds out at its end that nothing of them is left. */
export class Stage {
  readonly #servers: FakeServer[] = []
  readonly #proxies: FaultProxy[] = []
  readonly #pools: pg.Pool[] = []
  readonly #settled: number[] = []

  async server(options: FakeServerOptions = {}): Promise<FakeServer> {
    const server = await FakeServer.start(options)
    this.#servers.push(server)
    return server
  }

  async proxy(server: FakeServer): Promise<FaultProxy> {
    const proxy = await FaultProxy.start(server.port)
    this.#proxies.push(proxy)
    return proxy
  }

  /** A pool that follows whoever leads among these. */
  pool(hosts: readonly { readonly port: number }[], config: PoolConfig = {}): Pool {
    return this.#keep(new Pool({ ...leaderAmong(hosts), monitor, ...config }))
  }

  /** A client that goes to the first of these that is a primary. */
  client(hosts: readonly { readonly port: number }[]): Client {
    return new Client(leaderAmong(hosts))
  }

  /** A pool of one host with none of our options: pg's own, or ours in its place. */
  plain(Class: AnyPool, host: { readonly port: number }, config: object = {}): pg.Pool {
    return this.#keep(new Class({ ...credentials, host: '127.0.0.1', port: host.port, ...config }))
  }

  /** What becomes of something that calls back; also if it calls back more than once. */
  outcome(start: (callback: (error: unknown, result?: unknown) => void) => unknown): Promise<string> {
    const call = this.#settled.push(0) - 1
    return new Promise((resolve) => {
      start((error, result) => {
        this.#settled[call] = (this.#settled[call] ?? 0) + 1
        resolve(error ? describeError(error) : describeResult(result))
      })
    })
  }

  /** Ends everything and sees that nothing is left of it. */
  async leave(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => (pool.ending ? undefined : pool.end())))
    const counts = this.#pools.map(({ totalCount, idleCount, waitingCount }) => [totalCount, idleCount, waitingCount])
    expect(counts).toEqual(this.#pools.map(() => [0, 0, 0]))
    const ends = [...this.#servers, ...this.#proxies]
    await poll(() => ends.every(({ connections }) => connections === 0), { what: 'every connection is closed' })
    expect(this.#servers.map(({ pending }) => pending)).toEqual(this.#servers.map(() => 0))
    await this.strike()
    expect(this.#settled).toEqual(this.#settled.map(() => 1))
  }

  /** Ends what would keep other tests from running; also after a failure. */
  async strike(): Promise<void> {
    for (const pool of this.#pools) if (!pool.ending) pool.end(() => undefined)
    await Promise.all([...this.#proxies, ...this.#servers].map((each) => each.close()))
  }

  #keep<P extends pg.Pool>(pool: P): P {
    this.#pools.push(pool)
    return pool
  }
}

/** Options that follow whoever leads among these. */
function leaderAmong(hosts: readonly { readonly port: number }[]) {
  const list = hosts.map(({ port }) => ({ host: '127.0.0.1', port }))
  return { ...credentials, hosts: list, targetSessionAttrs: 'read-write' } as const
}

const credentials = { user: 'app', password, database: 'shop' }

/**
 * One test: what `act` does with its stage, and that afterwards no socket, timer or listener is left that was not there
 * before, every pool has ended and every call was answered exactly once.
 */
export async function onStage(act: (stage: Stage) => Promise<void>): Promise<void> {
  const before = traces()
  const stage = new Stage()
  try {
    await act(stage)
    await stage.leave()
  } finally {
    await stage.strike()
  }
  await poll(() => sameTraces(before, traces()), { what: `no more is left than ${JSON.stringify(before)}` })
}

type Traces = Readonly<Record<string, number>>

/** What keeps this process alive, by kind, and who listens to it. */
function traces(): Traces {
  const found: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) found[kind] = (found[kind] ?? 0) + 1
  for (const name of process.eventNames()) found[`listeners of ${String(name)}`] = process.listenerCount(name)
  return found
}

function sameTraces(before: Traces, now: Traces): boolean {
  return Object.entries(now).every(([kind, count]) => count <= (before[kind] ?? 0))
}

/** The outcome class of an error: whose it is, its code, and what it says of the statement's fate. */
export function describeError(given: unknown): string {
  const error = given as Error & { code?: string; outcome?: string; severity?: string }
  if (error.outcome !== undefined) return `${error.name} ${error.outcome}`
  if (error.severity !== undefined) return `${error.severity} ${error.code ?? ''}`
  return error.code ?? error.message
}

function describeResult(given: unknown): string {
  const results = (Array.isArray(given) ? given : [given]) as readonly (pg.QueryResult | undefined)[]
  return results.map((result) => `${result?.command ?? 'no command'} ${result?.rowCount ?? 0}`).join(', ')
}
