import pg from 'pg'
import { loadLibrary } from '../support/built-library'
import { serve } from '../../test/support/child'
import { block, sides, triple } from '../support/sides'
import type { BlockOptions, Side, Triple, Work } from '../support/sides'
import { plainConfig, wholeConfig } from '../support/target'
import type { Target } from '../support/target'

export interface OverheadOptions {
  readonly target: Target
  readonly library: string
}

/** The process whose queries are timed. */
export type OverheadProcess = {
  open(options: OverheadOptions): Promise<void>
  /** One block of each side, in random order. */
  triple(options: BlockOptions): Promise<Triple>
}

export function serveOverheadClient(): void {
  let works: Readonly<Record<Side, Work>>
  serve({
    open: async ({ target, library }) => {
      const { Pool } = loadLibrary(library)
      const query =
        (pool: pg.Pool): Work =>
        (count) =>
          pool.query('select $1::int as n', [count])
      const plain = plainConfig(target)
      const ours = new Pool(wholeConfig(target))
      works = { ours: query(ours), pg: query(new pg.Pool(plain)), control: query(new pg.Pool(plain)) }
      for (const side of sides) await block(works[side], { callers: 16, blockMillis: 500 })
    },
    triple: (options) => triple(works, options),
  } satisfies OverheadProcess)
}
