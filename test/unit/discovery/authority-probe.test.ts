import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Authority } from '../../../src/discovery/authority'
import { AuthorityProbe } from '../../../src/discovery/authority-probe'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

const asking = (leader: (signal: AbortSignal) => unknown): AuthorityProbe =>
  new AuthorityProbe({ name: 'dcs', leader } as unknown as Authority)

const leader = { host: 'db1', port: 5432, leaseMillis: 1000 }

describe('AuthorityProbe', () => {
  it.each([
    { what: 'a leader', says: () => Promise.resolve(leader), result: { ok: true, leader } },
    { what: 'nobody', says: () => Promise.resolve(undefined), result: { ok: true, leader: undefined } },
    { what: 'a leader, at once', says: () => leader, result: { ok: true, leader } },
  ])('brings $what', async ({ says, result }) => {
    expect(await asking(says).ask(500)).toEqual(result)
  })

  it.each([
    null,
    'db1:5432',
    {},
    { ...leader, host: 7 },
    { ...leader, port: '5432' },
    { ...leader, leaseMillis: 0 },
    { ...leader, leaseMillis: -1 },
    { ...leader, leaseMillis: Infinity },
    { ...leader, leaseMillis: undefined },
  ])('takes %j for no answer', async (says) => {
    const reason = 'gave an answer without host, port or leaseMillis'
    expect(await asking(() => Promise.resolve(says)).ask(500)).toEqual({ ok: false, reason })
  })
})
