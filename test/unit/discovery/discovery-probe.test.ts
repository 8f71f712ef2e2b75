import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Discovery } from '../../../src/discovery/discovery'
import { DiscoveryProbe } from '../../../src/discovery/discovery-probe'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

const asking = (hosts: (signal: AbortSignal) => unknown): DiscoveryProbe =>
  new DiscoveryProbe({ name: 'registry', hosts } as unknown as Discovery)

const list = [{ host: 'db1' }]

describe('DiscoveryProbe', () => {
  it.each([
    { what: 'a list', says: () => Promise.resolve(list), result: { ok: true, hosts: list } },
    { what: 'a list, at once', says: () => list, result: { ok: true, hosts: list } },
    { what: 'an empty list', says: () => Promise.resolve([]), result: { ok: false, reason: 'listed no host' } },
  ])('brings $what', async ({ says, result }) => {
    expect(await asking(says).ask(500)).toEqual(result)
  })

  it.each([undefined, null, 'db1:5432', {}, new Set(list), { length: 1, 0: list[0] }])(
    'takes %j for no answer',
    async (says) => {
      const reason = 'gave an answer that is no array of hosts'
      expect(await asking(() => Promise.resolve(says)).ask(500)).toEqual({ ok: false, reason })
    },
  )
})
