import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Discovery } from '../../../src/discovery/discovery'
import { Discovering } from '../../../src/topology/discovering'

interface Host {
  readonly key: string
  readonly weight?: number
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(Math, 'random').mockReturnValue(1)
})
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.restoreAllMocks()
  vi.useRealTimers()
})

const hosts = (keys: string): Host[] => Array.from(keys, (key) => ({ key }))

/** Sources that say what a test tells them to; `undefined` never answers. Entries are hosts, and `!` cannot be read. */
function discovering(says: (readonly Host[] | Error | undefined)[], intervalMillis = 1000) {
  const asked = says.map(() => 0)
  const lists: (readonly Host[])[] = []
  const cluster = { leads: true }
  const sources = says.map((_none, place): Discovery => ({
    name: `source ${place}`,
    hosts: async () => {
      asked[place]! += 1
      const answer = says[place]
      if (answer === undefined) return new Promise(() => undefined)
      if (answer instanceof Error) throw answer
      return answer
    },
  }))
  const list = new Discovering<Host>(sources, {
    times: { intervalMillis, timeoutMillis: 300 },
    seeds: hosts('xyz'),
    read(entries) {
      if ((entries as Host[]).some(({ key }) => key === '!')) throw new Error('no such host')
      return entries as Host[]
    },
    leaderless: () => !cluster.leads,
    listed: (told) => lists.push(told),
  })
  list.wake()
  const keys = (): string | undefined =>
    lists
      .at(-1)
      ?.map(({ key }) => key)
      .join('')
  return { list, lists, keys, asked, says, cluster }
}

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)

describe('Discovering', () => {
  it('lists what a source says in place of the seeds, those in front that were there before', async () => {
    const { list, keys, says } = discovering([hosts('yab')])
    await settle()
    expect(keys()).toBe('yab')
    says[0] = hosts('bcay')
    await vi.advanceTimersByTimeAsync(1000)
    expect(keys()).toBe('yabc')
    says[0] = hosts('c')
    await vi.advanceTimersByTimeAsync(1000)
    expect(keys()).toBe('c')
    list.stop()
  })

  it('tells nothing, and keeps the list, while a source throws, lists nothing, is silent or cannot be read', async () => {
    const { list, lists, says, asked } = discovering([hosts('ab')])
    await settle()
    for (const nothing of [new Error('down'), [], undefined, hosts('c!')]) {
      says[0] = nothing
      const before = asked[0]!
      const known = lists.length
      await vi.advanceTimersByTimeAsync(2000)
      expect(asked[0]!).toBeGreaterThan(before)
      expect(lists).toHaveLength(known)
    }
    list.stop()
    await vi.advanceTimersByTimeAsync(300)
  })

  it('is the union of what all sources say, the seeds standing in for those that have said nothing yet', async () => {
    const { list, keys, says, lists } = discovering([[{ key: 'a', weight: 2 }, { key: 'b' }], new Error('down')])
    await settle()
    expect(keys()).toBe('xyzab')
    says[1] = [{ key: 'c' }, { key: 'a', weight: 3 }]
    await vi.advanceTimersByTimeAsync(1000)
    expect(keys()).toBe('abc')
    expect(lists.at(-1)?.[0]).toEqual({ key: 'a', weight: 2 })
    says[0] = new Error('down')
    says[1] = hosts('d')
    await vi.advanceTimersByTimeAsync(1000)
    expect(keys()).toBe('abd')
    list.stop()
  })

  it('asks once an interval, and one question at a time', async () => {
    const { list, asked, says } = discovering([hosts('a')])
    await vi.advanceTimersByTimeAsync(9510)
    expect(asked[0]).toBe(11)
    says[0] = undefined
    list.wake()
    list.wake()
    list.wake()
    await settle()
    expect(asked[0]).toBe(12)
    await vi.advanceTimersByTimeAsync(300)
    expect(asked[0]).toBe(13)
    list.stop()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(asked[0]).toBe(13)
  })

  it('without an interval asks when it is woken, and goes on only while it has no answer or nobody leads', async () => {
    const { list, asked, says, cluster } = discovering([new Error('down')], Infinity)
    await vi.advanceTimersByTimeAsync(3000)
    expect(asked[0]).toBe(4)
    says[0] = hosts('a')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(asked[0]).toBe(5)
    cluster.leads = false
    list.wake()
    await vi.advanceTimersByTimeAsync(2000)
    expect(asked[0]).toBe(8)
    cluster.leads = true
    await vi.advanceTimersByTimeAsync(10_000)
    expect(asked[0]).toBe(9)
    list.stop()
  })
})
