import pg from 'pg'
import { loadLibrary } from '../support/built-library'
import { serve } from '../../test/support/child'
import { block, sides, triple } from '../support/sides'
import type { BlockOptions, Side, Triple, Work } from '../support/sides'
import { plainConfig, wholeConfig } from '../support/target'
import type { Target } from '../support/target'
import { comparisons } from './works'

/** The process whose statements and transactions are timed. */
export type OutcomeProcess = {
  open(options: { readonly target: Target; readonly library: string }): Promise<void>
  /** Answers of the server, up to ReadyForQuery, that one such thing takes on each side. */
  roundTrips(comparison: string): Promise<Readonly<Record<Side, number>>>
  /** One block of each side, in random order. */
  triple(options: BlockOptions & { readonly comparison: string }): Promise<Triple>
}

const counted = 20

export function serveOutcomeClient(): void {
  const works = new Map<string, Readonly<Record<Side, Work>>>()
  let answers = 0
  const worksOf = (comparison: string): Readonly<Record<Side, Work>> => {
    const found = works.get(comparison)
    if (found === undefined) throw new Error(`there is no comparison ${comparison}`)
    return found
  }
  serve({
    open: async ({ target, library }) => {
      const { Pool } = loadLibrary(library)
      const whole = wholeConfig(target)
      const ours = {
        following: new Pool(whole),
        once: new Pool({ ...whole, exactlyOnce: true }),
        witness: new Pool({ ...whole, outcome: 'witness' }),
      }
      const plain = { pg: new pg.Pool(plainConfig(target)), control: new pg.Pool(plainConfig(target)) }
      for (const pool of [...Object.values(ours), ...Object.values(plain)] as pg.Pool[]) {
        pool.on('connect', ({ connection }) => connection.on('readyForQuery', () => (answers += 1)))
      }
      for (const [name, comparison] of Object.entries(comparisons)) {
        const { pg: first, control } = plain
        works.set(name, {
          ours: comparison.ours(ours),
          pg: comparison.plain(first),
          control: comparison.plain(control),
        })
        for (const side of sides) await block(worksOf(name)[side], { callers: 16, blockMillis: 500 })
      }
    },
    roundTrips: async (comparison) => {
      const found: Partial<Record<Side, number>> = {}
      for (const side of sides) {
        const work = worksOf(comparison)[side]
        // A client that was idle for long is asked for a sign of life first.
        await Promise.all(Array.from({ length: 10 }, (_, count) => work(count)))
        answers = 0
        for (let count = 0; count < counted; count++) await work(count)
        found[side] = answers / counted
      }
      return found as Readonly<Record<Side, number>>
    },
    triple: ({ comparison, ...options }) => triple(worksOf(comparison), options),
  } satisfies OutcomeProcess)
}
