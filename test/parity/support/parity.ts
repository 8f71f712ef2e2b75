import { describe, expect, it } from 'vitest'
import type pg from 'pg'
import { candidates, type Implementation, type Options, reference } from './implementations'
import { Recorder } from './recorder'
import type { Server } from './server'

/** What a body is given: one implementation, its pools on the server of the file, and something to write on. */
export interface Subject extends Recorder {
  readonly name: Implementation['name']
  readonly Pool: Implementation['Pool']
  readonly Client: Implementation['Client']
  readonly following: boolean
  /** The options of a pool of this row on the server. */
  options(more?: Options): Options
  /** A pool of this row on the server. */
  pool(more?: Options): pg.Pool
}

export type Body = (subject: Subject) => Promise<void> | void

export interface Differences {
  /**
   * Why the row that follows a leader is seen to behave differently here. Its lines are then not compared with pg's: the
   * body asserts with `subject.following` what they are instead.
   */
  readonly following?: string
  /** Why ours differs in both rows. The body asserts the difference. */
  readonly ours?: string
}

/**
 * One body, run against pg and then against ours. `expect` inside the body holds for every row and both versions of pg;
 * what the body notes is compared with what pg itself let be seen in this very version.
 */
export function parity(server: Server, title: string, body: Body, differences: Differences = {}): void {
  let golden: Promise<readonly string[]> | undefined
  const truth = () => (golden ??= run(server, reference, body))

  describe(title, () => {
    it('pg', async () => {
      await truth()
    })
    for (const implementation of candidates) {
      const why = differences.ours ?? (implementation.following ? differences.following : undefined)
      it(why === undefined ? implementation.name : `${implementation.name} (differs: ${why})`, async () => {
        const seen = await run(server, implementation, body)
        if (why === undefined) expect(seen).toEqual(await truth())
      })
    }
  })
}

async function run(server: Server, implementation: Implementation, body: Body): Promise<readonly string[]> {
  const pools: pg.Pool[] = []
  const options = (more: Options = {}): Options => ({ ...server.options, ...implementation.options, ...more })
  const subject = Object.assign(new Recorder(), {
    name: implementation.name,
    Pool: implementation.Pool,
    Client: implementation.Client,
    following: implementation.following,
    options,
    pool(more?: Options): pg.Pool {
      const pool = new implementation.Pool(options(more))
      pools.push(pool)
      return pool
    },
  })
  try {
    await body(subject)
    return [...subject.lines]
  } finally {
    for (const pool of pools) if (!pool.ending) pool.end(() => {})
  }
}
