import { sharedNow } from './clock'
import { median, shuffled } from './statistics'

/** Ours, pg's, and pg's once more: what two equal pools differ by is what a difference has to be held against. */
export const sides = ['ours', 'pg', 'control'] as const
export type Side = (typeof sides)[number]

/** One block of one side. A query is whatever is done once: a statement, or a transaction. */
export interface Block {
  readonly queriesPerSecond: number
  readonly p50Micros: number
  /** Processor time of this process, user and system, per query. */
  readonly cpuMicros: number
}

export type Triple = Readonly<Record<Side, Block>>

/** What is done once; `count` is another number each time. */
export type Work = (count: number) => Promise<unknown>

export interface BlockOptions {
  readonly callers: number
  readonly blockMillis: number
}

/** Not counted: connections of a block that has just begun are looked at, caches are cold. */
const leadMillis = 20
const mostLatencies = 100_000
const latencies = new Float64Array(mostLatencies)

/** One block of each side, in random order. */
export async function triple(works: Readonly<Record<Side, Work>>, options: BlockOptions): Promise<Triple> {
  const blocks: Partial<Record<Side, Block>> = {}
  for (const side of shuffled(sides)) blocks[side] = await block(works[side], options)
  return blocks as Triple
}

/** What a side is of pg's, in the median of neighbouring blocks. */
export function ratio(triples: readonly Triple[], side: Side, key: keyof Block): number {
  return median(triples.map((each) => each[side][key] / each.pg[key]))
}

/** Has so many callers do the work over and over, and counts for so long. */
export async function block(work: Work, { callers, blockMillis }: BlockOptions): Promise<Block> {
  const counting = sharedNow() + leadMillis
  let counted = 0
  let begunAt = 0
  let begunCpu = process.cpuUsage()
  let endedAt = 0
  let endedCpu = begunCpu
  async function caller(): Promise<void> {
    for (let startedAt = performance.now(); ;) {
      await work(counted)
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
  if (counted === 0) throw new Error(`nothing was done within ${blockMillis} ms`)
  return {
    queriesPerSecond: (counted / (endedAt - begunAt)) * 1000,
    p50Micros: median([...latencies.subarray(0, Math.min(counted, mostLatencies))]) * 1000,
    cpuMicros: (endedCpu.user + endedCpu.system) / counted,
  }
}
