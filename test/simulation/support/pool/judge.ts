import fc from 'fast-check'
import { expect, it } from 'vitest'
import { seeded } from '../seed'
import type { History } from './history'
import { invariantNames } from './invariants'
import { play } from './play'

/** No history takes so long on any machine, one takes some 4 ms: it is a guard against one that never ends. */
export const millisPerHistory = 500

/**
 * Every history is played once and judged by all invariants; for one that was broken the smallest history is looked for,
 * and printed with its seed.
 */
export function judge(arbitrary: fc.Arbitrary<History>, runs: number): void {
  const parameters = seeded(runs)
  let found: Promise<ReadonlyMap<string, string>> | undefined
  const broken = async (): Promise<ReadonlyMap<string, string>> => {
    const wrong = new Map<string, string>()
    const note = fc.asyncProperty(arbitrary, async (history) => {
      for (const [name, why] of (await play(history)).violations) if (!wrong.has(name)) wrong.set(name, why)
    })
    await fc.assert(note, parameters)
    return wrong
  }

  it.each(invariantNames)('%s', { timeout: parameters.numRuns * millisPerHistory }, async (name) => {
    const wrong = await (found ??= broken())
    if (!wrong.has(name)) return expect([...wrong.keys()]).not.toContain(name)
    const holds = fc.asyncProperty(arbitrary, async (history) => {
      expect((await play(history)).violations.get(name)).toBeUndefined()
    })
    await fc.assert(holds, parameters)
    expect.unreachable(`${name}: ${wrong.get(name)} (seed ${parameters.seed})`)
  })
}
