import { describe, expect, it } from 'vitest'
import { Bag } from '../../../src/runtime/bag'

const items = (...names: string[]): { name: string; place: number }[] => names.map((name) => ({ name, place: -1 }))

describe('Bag', () => {
  it('holds what was added and not removed, whatever the order', () => {
    const bag = new Bag<{ name: string; place: number }>()
    const [first, second, third] = items('first', 'second', 'third') as [never, never, never]
    for (const each of [first, second, third]) bag.add(each)
    expect(bag.remove(first)).toBe(true)
    expect(bag.items).toEqual([third, second])
    expect(bag.remove(third)).toBe(true)
    expect(bag.remove(second)).toBe(true)
    expect(bag.items).toEqual([])
  })

  it('says once that something was there', () => {
    const bag = new Bag<{ name: string; place: number }>()
    const [one, other] = items('one', 'other') as [never, never]
    bag.add(one)
    expect(bag.remove(other)).toBe(false)
    expect(bag.remove(one)).toBe(true)
    expect(bag.remove(one)).toBe(false)
    bag.add(one)
    expect(bag.remove(one)).toBe(true)
  })
})
