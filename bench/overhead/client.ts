import pg from 'pg'
import { loadLibrary } from '../support/built-library'
import { serve } from '../../test/support/child'
import { sharedNow } from '../support/clock'
import { median, shuffled } from '../support/statistics'
import type { Target } from '../support/target'

/** Ours, pg's, and pg's once more: what two equal pools differ by is what a difference has to be held against. */
export const sides = ['ours', 'pg', 'control'] as const
export type Side = (typeof sides)[number]

/** One block of one side. */
export interface Block {
  readonly queriesPerSecond: number
  readonly p50Micros: number
  /** Processor time of this process, user and system, per query. */
  readonly cpuMicros: number
}

export type Triple = Readonly<Record<Side, Block>>

export interface OverheadOptions {
  readonly target: Target
  readonly library: string
}

/** The process whose queries are timed. */
export type OverheadProcess = {
  open(options: OverheadOptions): Promise<void>
  /** One block of each side, in random order. */
  triple(options: { readonly callers: number; readonly blockMillis: number }): Promise<Triple>
}

/** Not counted: connections of a block that has just begun are looked at, caches are cold. */
const leadMillis = 20
const mostLatencies = 100_000

export function serveOverheadClient(): void {
  let pools: Readonly<Record<Side, pg.Pool>>
  const latencies = new Float64Array(mostLatencies)
  serve({
    open: async ({ target, library }) => {
      const { Pool } = loadLibrary(library)
      const { hosts, user, password, database } = target
      const all = { host: hosts.map(({ host }) => host).join(','), port: hosts.map(({ port }) => port).join(',') }
      const credentials = { user, password, database }
      const plain = { ...hosts[0], ...credentials }
      pools = { ours: new Pool({ ...all, ...credentials }), pg: new pg.Pool(plain), control: new pg.Pool(plain) }
      for (const side of sides) await block(pools[side], { callers: 16, blockMillis: 500 }, latencies)
    },
    triple: async (options) => {
      const blocks: Partial<Record<Side, Block>> = {}
      for (const side of shuffled(sides)) blocks[side] = await block(pools[side], options, latencies)
      return blocks as Triple
    },
  } satisfies OverheadProcess)
}

async function block(
  pool: pg.Pool,
  { callers, blockMillis }: { callers: number; blockMillis: number },
  latencies: Float64Array,
): Promise<Block> {
  const counting = sharedNow() + leadMillis
  let counted = 0
  let begunAt = 0
  let begunCpu = process.cpuUsage()
  let endedAt = 0
  let endedCpu = begunCpu
  async function caller(): Promise<void> {
    for (let startedAt = performance.now(); ;) {
      await pool.query('select $1::int as n', [counted])
      const now = performance.now()
      if (endedAt !== 0) return
      if (begunAt === 0) {
        if (sharedNow() >= counting) {
          begunCpu = process.cpuUsage()
          begunAt = performance.now()
        }
      } else {
        latencies[counted % mostLatencies] = now - startedAt
        counted += 1
        if (now - begunAt >= blockMillis) {
          endedAt = performance.now()
          endedCpu = process.cpuUsage(begunCpu)
          return
        }
      }
      startedAt = performance.now()
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  if (counted === 0) throw new Error(`no query was answered within ${blockMillis} ms`)
  return {
    queriesPerSecond: (counted / (endedAt - begunAt)) * 1000,
    p50Micros: median([...latencies.subarray(0, Math.min(counted, mostLatencies))]) * 1000,
    cpuMicros: (endedCpu.user + endedCpu.system) / counted,
  }
}
