import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { histories } from './support/history'
import type { History } from './support/history'
import { calmInvariant, invariantNames, violations } from './support/invariants'
import { realRules } from './support/simulate'
import { seeded } from './support/seed'

describe('random clusters, random faults, random order', () => {
  judge(histories(), [...invariantNames, calmInvariant], 2000)
})

describe('where servers are restored from old backups, and lockouts end', () => {
  judge(histories({ restores: true }), invariantNames, 500)
})

describe('where an authority has to confirm the leader, and this process is blocked now and then', () => {
  judge(
    histories({ authority: true, restores: true }),
    [
      'writes go only where the authority has said, and only while its word holds',
      'a leader is a host whose newest answer accepts writes',
      'the generation never falls',
      'nothing in doubt is a target, and writes go to the leader alone',
      'a loss has a time',
      'those who wait are told when there is somewhere to go',
      calmInvariant,
    ],
    600,
  )
})

describe('where the list of hosts changes', () => {
  judge(histories({ listing: true }), [...invariantNames, calmInvariant], 600)
})

describe('where the list of hosts changes, and servers are restored from old backups', () => {
  judge(histories({ listing: true, restores: true }), invariantNames, 400)
})

describe('where columns cannot be read and the rules are reset', () => {
  judge(
    histories({ lifting: true }),
    [
      'a leader is a host whose newest answer accepts writes',
      'the generation never falls',
      'nothing in doubt is a target, and writes go to the leader alone',
      'what is left of the last leader is cut when there is another or history has left it, and nobody else is',
    ],
    500,
  )
})

/**
 * Every history is played once and judged by all invariants; for one that was broken the smallest history is looked for,
 * and printed with its seed.
 */
function judge(arbitrary: fc.Arbitrary<History>, names: Parameters<typeof violations>[2], runs: number): void {
  const parameters = seeded(runs)
  const { seed, numRuns } = parameters
  let found: ReadonlySet<string> | undefined
  const brokenRules = (): ReadonlySet<string> =>
    (found ??= new Set(
      fc.sample(arbitrary, { seed, numRuns }).flatMap((history) => [...violations(history, realRules, names).keys()]),
    ))

  it.each(names)('%s', (name) => {
    const broken = brokenRules()
    if (!broken.has(name)) return expect(broken).not.toContain(name)
    fc.assert(
      fc.property(arbitrary, (history) => {
        expect(violations(history, realRules, [name]).get(name)).toBeUndefined()
      }),
      parameters,
    )
    expect.unreachable(`${name}: broken in a sample with the seed ${seed}`)
  })
}
