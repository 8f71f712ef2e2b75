import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseReader, loadBalances } from '../../../../src/core/selection/balance'
import type { LoadBalance, Reader } from '../../../../src/core/selection/balance'
import { seeded } from './support/seeded'

const choices = 10_000

/** Readers of these weights, named by their places. */
function readersOf(weights: readonly number[], inFlight: readonly number[] = []): Reader[] {
  return weights.map((weight, index) => ({ key: String(index), inFlight: inFlight[index] ?? 0, weight }))
}

interface Load {
  readonly weights: readonly number[]
  readonly way: LoadBalance
  readonly seed: number
  /** How many requests are under way at once. */
  readonly concurrency: number
  /** How many that never end stand on the first host. */
  readonly stuck?: number
}

/** A closed loop: each request is given its host, and one of those that are under way ends, whichever. */
function play({ weights, way, seed, concurrency, stuck = 0 }: Load): number[] {
  const random = seeded(seed)
  const counts = weights.map(() => 0)
  const inFlight = weights.map((_, index) => (index === 0 ? stuck : 0))
  const underWay: number[] = []
  for (let turn = 0; turn < choices; turn++) {
    if (underWay.length === concurrency) {
      const [ended] = underWay.splice(Math.floor(random() * underWay.length), 1)
      inFlight[ended!]! -= 1
    }
    const place = Number(chooseReader(readersOf(weights, inFlight), way, random, turn)?.key)
    counts[place]! += 1
    inFlight[place]! += 1
    underWay.push(place)
  }
  return counts
}

const everyCase = loadBalances.flatMap((way) =>
  [2, 3, 4, 5].flatMap((hosts) => [1, 4, 64].map((concurrency) => ({ way, hosts, concurrency }))),
)

describe('fairness', () => {
  it.each(everyCase)('$way, $hosts hosts, $concurrency at once: within 10 % of each other', (one) => {
    const weights = Array.from({ length: one.hosts }, () => 1)
    for (const seed of [1, 2, 3]) {
      for (const count of play({ ...one, weights, seed })) {
        expect(Math.abs(count / (choices / one.hosts) - 1)).toBeLessThan(0.1)
      }
    }
  })

  it.each(everyCase)('$way, $hosts hosts, $concurrency at once: by weight, none starved', (one) => {
    const weights = Array.from({ length: one.hosts }, (_, index) => index + 1)
    const sum = weights.reduce((a, b) => a + b)
    // Fewer requests than the weights add up to cannot stand in their proportion; then the shares only come near it.
    const most = one.way === 'least-requests' && one.concurrency > 1 && one.concurrency < 2 * sum ? 0.4 : 0.1
    for (const seed of [1, 2, 3]) {
      play({ ...one, weights, seed }).forEach((count, index) => {
        expect(Math.abs(count / ((choices * weights[index]!) / sum) - 1)).toBeLessThan(most)
      })
    }
  })

  it.each([2, 3, 4, 5])('least-requests: a backlog that does not move keeps reads away, %i hosts', (hosts) => {
    const weights = Array.from({ length: hosts }, () => 1)
    // At most 8 are under way elsewhere.
    for (const stuck of [8, 20, 1000]) {
      const [first] = play({ weights, way: 'least-requests', seed: 1, concurrency: 8, stuck })
      expect(first).toBeLessThanOrEqual(choices * 0.001)
    }
  })
})

const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 })

describe('round-robin', () => {
  it('gives every host its weight in every run of turns that is as long as all weights together', () => {
    fc.assert(
      fc.property(weights, fc.nat({ max: 1_000_000 }), (given, begin) => {
        const readers = readersOf(given)
        const counts = given.map(() => 0)
        const turns = given.reduce((a, b) => a + b)
        for (let turn = begin; turn < begin + turns; turn++) {
          counts[Number(chooseReader(readers, 'round-robin', () => 0, turn)?.key)]! += 1
        }
        expect(counts).toEqual(given)
      }),
      // Moments that are the same to the last digit were told apart by rounding, in one run and not in the next.
      { examples: [[[9, 6, 1, 2, 1], 18]], numRuns: 1000 },
    )
  })

  it('is never far from the shares in between', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: 1, maxLength: 5 }),
        (given) => {
          const readers = readersOf(given)
          const sum = given.reduce((a, b) => a + b)
          const counts = given.map(() => 0)
          for (let turn = 0; turn < 200; turn++) {
            counts[Number(chooseReader(readers, 'round-robin', () => 0, turn)?.key)]! += 1
            counts.forEach((count, index) => {
              expect(Math.abs(count - ((turn + 1) * given[index]!) / sum)).toBeLessThan(2.5)
            })
          }
        },
      ),
    )
  })
})

describe('whatever the hosts are', () => {
  const reader = fc.record({
    key: fc.string(),
    inFlight: fc.nat({ max: 1000 }),
    weight: fc.oneof(fc.constant(0), fc.double({ min: 0.001, max: 1000, noNaN: true })),
  })
  const numbers = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
    minLength: 2,
    maxLength: 2,
  })

  it('one of them is chosen, and none without weight while there is one with it', () => {
    const way = fc.constantFrom(...loadBalances)
    fc.assert(
      fc.property(fc.array(reader, { maxLength: 6 }), way, numbers, fc.nat(), (readers, how, source, turn) => {
        let drawn = 0
        const chosen = chooseReader(readers, how, () => source[drawn++]!, turn)
        expect(drawn).toBeLessThanOrEqual(2)
        expect(chosen === undefined).toBe(readers.length === 0)
        if (chosen === undefined) return
        expect(readers).toContain(chosen)
        if (readers.some(({ weight }) => weight > 0)) expect(chosen.weight).toBeGreaterThan(0)
      }),
    )
  })

  it('least-requests never takes the busier of two, among hosts of one weight', () => {
    fc.assert(
      fc.property(fc.nat({ max: 9 }), fc.nat({ max: 9 }), numbers, (a, b, source) => {
        let drawn = 0
        const chosen = chooseReader(readersOf([2, 2], [a, b]), 'least-requests', () => source[drawn++]!, 0)
        expect(chosen!.inFlight).toBe(Math.min(a, b))
      }),
    )
  })
})
