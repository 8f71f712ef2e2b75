import pg from 'pg'
import postgres from 'postgres'
import { loadLibrary } from '../support/built-library'
import { serve } from '../../test/support/child'
import { block, triple } from '../support/sides'
import { shuffled } from '../support/statistics'
import type { Block, BlockOptions, Side, Triple, Work } from '../support/sides'
import { plainConfig, wholeConfig } from '../support/target'
import type { Target } from '../support/target'

/** Who reads in the comparison of throughput. */
export const readers = ['pg-leader', 'pg.Pool on the primary', 'random choice of two pools', 'postgres.js'] as const
export type Reader = (typeof readers)[number]

/** Where the reads of a phase went, and how long they took. */
export interface Spread {
  /** By port. */
  readonly counts: Readonly<Record<string, number>>
  readonly p50Millis: number
  readonly p99Millis: number
}

/** The process whose reads are timed. */
export type ReadsProcess = {
  /** The primary first. */
  open(options: { readonly target: Target; readonly library: string }): Promise<void>
  /** One block of each reader, in random order. */
  round(options: BlockOptions): Promise<Readonly<Record<Reader, Block>>>
  /** Ours with one standby against pg's own pool there, and that against itself. */
  triple(options: BlockOptions): Promise<Triple>
  /** Reads of ours, over these hosts, the primary first. */
  spread(options: { readonly target: Target; readonly callers: number; readonly reads: number }): Promise<Spread>
}

const text = 'select n from bench where n = $1'

export function serveReadsClient(): void {
  let byReader: Readonly<Record<Reader, Work>>
  let bySide: Readonly<Record<Side, Work>>
  let library: ReturnType<typeof loadLibrary>
  const marked =
    (pool: pg.Pool): Work =>
    (count) =>
      pool.query({ text, values: [count % 1000], readOnly: true } as pg.QueryConfig)
  const plain =
    (pool: pg.Pool): Work =>
    (count) =>
      pool.query(text, [count % 1000])
  serve({
    open: async ({ target, library: path }) => {
      library = loadLibrary(path)
      const [primary, first, second] = target.hosts
      const on = (...hosts: (typeof primary)[]): Target => ({
        ...target,
        hosts: hosts.filter((host) => host !== undefined),
      })
      const pools = [first, second].map((host) => plain(new pg.Pool(plainConfig(on(host)))))
      const { user, password, database } = target
      const sql = postgres({ ...primary, user, password, database, max: 10, onnotice: () => undefined } as object)
      byReader = {
        'pg-leader': marked(new library.Pool(wholeConfig(target))),
        'pg.Pool on the primary': plain(new pg.Pool(plainConfig(target))),
        'random choice of two pools': (count) => pools[Math.random() < 0.5 ? 0 : 1]!(count),
        'postgres.js': (count) => sql`select n from bench where n = ${count % 1000}`,
      }
      bySide = {
        ours: marked(new library.Pool(wholeConfig(on(primary, first)))),
        pg: plain(new pg.Pool(plainConfig(on(first)))),
        control: plain(new pg.Pool(plainConfig(on(first)))),
      }
      for (const work of [...Object.values(byReader), ...Object.values(bySide)]) {
        await block(work, { callers: 16, blockMillis: 500 })
      }
    },
    round: async (options) => {
      const blocks: Partial<Record<Reader, Block>> = {}
      for (const reader of shuffled(readers)) blocks[reader] = await block(byReader[reader], options)
      return blocks as Readonly<Record<Reader, Block>>
    },
    triple: (options) => triple(bySide, options),
    spread: async ({ target, callers, reads }) => {
      const pool = new library.Pool(wholeConfig(target))
      const counts: Record<string, number> = {}
      const latencies: number[] = []
      const read = async (): Promise<string> => {
        const query = { text: `select current_setting('port') as port`, readOnly: true }
        const { rows } = await pool.query<{ port: string }>(query)
        return rows[0]!.port
      }
      // Every standby is known, and has its connections.
      await Promise.all(Array.from({ length: 200 }, read))
      await new Promise((resolve) => setTimeout(resolve, 1500))
      await Promise.all(Array.from({ length: 200 }, read))
      let left = reads
      const caller = async (): Promise<void> => {
        while (left > 0) {
          left -= 1
          const begun = performance.now()
          const port = await read()
          latencies.push(performance.now() - begun)
          counts[port] = (counts[port] ?? 0) + 1
        }
      }
      await Promise.all(Array.from({ length: callers }, caller))
      await pool.end()
      latencies.sort((a, b) => a - b)
      const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0
      return { counts, p50Millis: at(0.5), p99Millis: at(0.99) }
    },
  } satisfies ReadsProcess)
}
