import { expect, it } from 'vitest'
import { chooseReader } from '../../../src/core/selection/balance'
import type { LoadBalance, Reader } from '../../../src/core/selection/balance'
import fixtures from './balance.json'

interface Fixture {
  readonly name: string
  readonly way: string
  /** `KEY REQUESTS-IN-FLIGHT WEIGHT`. */
  readonly readers: readonly string[]
  /** What the source says, all of it: a choice that draws once too often fails. */
  readonly random?: readonly number[]
  /** The first turn; 0 if left out. */
  readonly turn?: number
  /** One choice after the other, in flight what was in flight before. */
  readonly chosen: readonly (string | null)[]
}

it.each(fixtures as readonly Fixture[])('$way: $name', (fixture) => {
  const { turn = 0, random = [], chosen } = fixture
  const numbers = [...random]
  const readers = fixture.readers.map((line): Reader => {
    const [key = '', inFlight, weight] = line.split(' ')
    return { key, inFlight: Number(inFlight), weight: Number(weight) }
  })
  const source = (): number => numbers.shift() ?? expect.unreachable('drew a number too many')
  const choices = chosen.map((_, index) => chooseReader(readers, fixture.way as LoadBalance, source, turn + index))
  expect(choices.map((reader) => reader?.key ?? null)).toEqual(chosen)
  expect(numbers).toEqual([])
})
