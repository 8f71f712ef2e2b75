import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffMillis } from '../../../../src/core/retry/backoff'

const limits = fc.record({ base: fc.integer({ min: 1, max: 1000 }), cap: fc.integer({ min: 1, max: 100_000 }) })
const attempt = fc.nat({ max: 2000 })
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('backoffMillis', () => {
  it('lies between half of the step and all of it, and never above the cap', () => {
    fc.assert(
      fc.property(attempt, limits, random, (n, { base, cap }, source) => {
        const full = Math.min(cap, base * 2 ** n)
        const millis = backoffMillis(n, { base, cap }, source)
        expect(millis).toBeGreaterThanOrEqual(full / 2)
        expect(millis).toBeLessThanOrEqual(full)
      }),
    )
  })

  it('does not shrink from one attempt to the next', () => {
    fc.assert(
      fc.property(attempt, limits, random, (n, bounds, source) => {
        expect(backoffMillis(n + 1, bounds, source)).toBeGreaterThanOrEqual(backoffMillis(n, bounds, source))
      }),
    )
  })

  it('takes its jitter from the number it is given', () => {
    expect(backoffMillis(3, { base: 10, cap: 1000 }, 0)).toBe(40)
    expect(backoffMillis(3, { base: 10, cap: 1000 }, 0.5)).toBe(60)
    expect(backoffMillis(9, { base: 10, cap: 1000 }, 0)).toBe(500)
  })
})
