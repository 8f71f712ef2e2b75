import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { routeOfRead } from '../../../../src/core/routing/read-route'
import { RouteCache } from '../../../../src/core/routing/route-cache'

/** A cache, and what was read because it did not remember. */
function watched(entries: number, textLength = 100) {
  const read: string[] = []
  const cache = new RouteCache({ entries, textLength }, (text) => {
    read.push(text)
    return routeOfRead(text)
  })
  return { cache, read }
}

describe('RouteCache', () => {
  it('says what routeOfRead says, and reads a text once', () => {
    const { cache, read } = watched(10)
    for (const text of ['select 1', 'checkpoint', 'begin read write', 'checkpoint', 'select 1', 'begin read write']) {
      expect(cache.routeOf(text)).toEqual(routeOfRead(text))
    }
    expect(read).toEqual(['select 1', 'checkpoint', 'begin read write'])
  })

  it('reads a longer text each time, and remembers nothing of it', () => {
    const { cache, read } = watched(10, 'select 1'.length)
    cache.routeOf('select 1')
    cache.routeOf('select 12')
    cache.routeOf('select 12')
    expect(read).toEqual(['select 1', 'select 12', 'select 12'])
    expect(cache.size).toBe(1)
  })

  it('keeps what is asked for all the time, whatever else there is', () => {
    const { cache, read } = watched(10)
    for (let other = 0; other < 1000; other += 1) {
      cache.routeOf('select')
      cache.routeOf(`select ${other}`)
    }
    expect(read.filter((text) => text === 'select')).toHaveLength(1)
    expect(read).toHaveLength(1001)
  })

  it('forgets what nobody asks for any more', () => {
    const { cache, read } = watched(4)
    for (const text of ['a', 'b', 'c', 'd', 'e', 'a']) cache.routeOf(text)
    expect(read).toEqual(['a', 'b', 'c', 'd', 'e', 'a'])
  })

  it('never remembers more than it may', () => {
    const asked = fc.array(
      fc.integer({ min: 0, max: 30 }).map((number) => `select ${number}`),
      { maxLength: 200 },
    )
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 12 }), asked, (entries, texts) => {
        const { cache } = watched(entries)
        for (const text of texts) {
          cache.routeOf(text)
          expect(cache.size).toBeLessThanOrEqual(entries)
        }
      }),
    )
  })
})
