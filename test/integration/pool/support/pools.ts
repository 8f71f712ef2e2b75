import { afterEach } from 'vitest'
import { Pool } from '../../../../src/index'
import type { FailoverEvent, PoolConfig, SplitBrainEvent, TopologySnapshot } from '../../../../src/index'

/** A pool and everything it has told so far. */
export interface Watched {
  readonly pool: Pool
  readonly failovers: FailoverEvent[]
  readonly splitBrains: SplitBrainEvent[]
  readonly topologies: TopologySnapshot[]
  readonly errors: Error[]
}

/** Writes down what a pool tells its listeners. */
export function watch(pool: Pool): Watched {
  const watched: Watched = { pool, failovers: [], splitBrains: [], topologies: [], errors: [] }
  pool.on('failover', (event) => watched.failovers.push(event))
  pool.on('splitBrain', (event) => watched.splitBrains.push(event))
  pool.on('topology', (snapshot) => watched.topologies.push(snapshot))
  pool.on('error', (error: Error) => watched.errors.push(error))
  return watched
}

/** Makes pools that are ended after each test. */
export function usePools(): (config: PoolConfig) => Watched {
  const made: Pool[] = []
  afterEach(async () => {
    await Promise.all(made.splice(0).map((pool) => (pool.ended ? undefined : pool.end())))
  })
  return (config) => {
    const pool = new Pool(config)
    made.push(pool)
    return watch(pool)
  }
}

/** What a promise rejects with; one that resolves is a failure of the test. */
export async function rejection(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if ('error' in outcome) return outcome.error as Error & Record<string, unknown>
  throw new Error(`expected a rejection, got ${String(outcome.value)}`)
}

/** One turn of the event loop: what is due now has happened. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
