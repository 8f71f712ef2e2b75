import { describe, expect, it } from 'vitest'
import { leastMaxAge, mayBePruned, pruneBatch, pruneDelay, prunesOn } from '../../../../src/core/outcome/marker-age'

describe('old markers', () => {
  it('are deleted soon after the first one is written, and not by all processes at once', () => {
    expect([pruneDelay(undefined, 0), pruneDelay(undefined, 0.5)]).toEqual([500, 1250])
  })

  it.each([
    [0, 0, 60_000],
    [20_000, 0, 40_000],
    [20_000, 0.5, 70_000],
    [60_000, 0, 0],
    [200_000, 0.9, 0],
  ])('are deleted no more often than once a minute: %d ms later, by chance %d, in %d ms', (since, chance, delay) => {
    expect(pruneDelay(since, chance)).toBe(delay)
  })

  it('are deleted batch by batch, as long as there are some and a while has not gone by', () => {
    expect(prunesOn(pruneBatch, 0)).toBe(true)
    expect(prunesOn(pruneBatch - 1, 0)).toBe(false)
    expect(prunesOn(pruneBatch, 1999)).toBe(true)
    expect(prunesOn(pruneBatch, 2000)).toBe(false)
  })

  it('say nothing by their absence when they may have been deleted, by whatever clock', () => {
    expect(mayBePruned(500, 1000)).toBe(false)
    expect(mayBePruned(501, 1000)).toBe(true)
    expect(mayBePruned(1e9, Infinity)).toBe(false)
  })

  it('last for as long as somebody may look them up', () => {
    const least = leastMaxAge(60_000)
    expect(mayBePruned(60_000, least)).toBe(false)
    expect(least).toBe(120_000)
  })
})
