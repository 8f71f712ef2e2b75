import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shuffle } from '../../../../src/core/selection/shuffle'

/** A source that hands out these numbers, and says how many were taken. */
function scripted(numbers: readonly number[]): { random: () => number; taken: () => number } {
  let next = 0
  return { random: () => numbers[next++] ?? 0, taken: () => next }
}

describe('shuffle', () => {
  it('is Fisher–Yates: every choice of the source is one order, and every order comes once', () => {
    const orders = new Set<string>()
    for (let third = 0; third < 4; third++) {
      for (let second = 0; second < 3; second++) {
        for (let first = 0; first < 2; first++) {
          const source = scripted([(third + 0.5) / 4, (second + 0.5) / 3, (first + 0.5) / 2])
          orders.add(shuffle(['a', 'b', 'c', 'd'], source.random).join(''))
          expect(source.taken()).toBe(3)
        }
      }
    }
    expect(orders.size).toBe(24)
  })

  it('keeps every item and leaves its argument alone', () => {
    const numbers = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 20 })
    fc.assert(
      fc.property(fc.array(fc.integer(), { maxLength: 20 }), numbers, (items, source) => {
        const before = [...items]
        const shuffled = shuffle(items, scripted(source).random)
        expect([...shuffled].sort()).toEqual([...before].sort())
        expect(items).toEqual(before)
      }),
    )
  })

  it('asks the source for nothing where there is no choice', () => {
    const source = scripted([])
    expect(shuffle([], source.random)).toEqual([])
    expect(shuffle(['only'], source.random)).toEqual(['only'])
    expect(source.taken()).toBe(0)
  })
})
