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
    { what: 'a rejection', says: () => Promise.reject(new Error('gone')), result: { ok: false, reason: 'gone' } },
    {
      what: 'something thrown',
      says: () => {
        throw new Error('gone')
      },
      result: { ok: false, reason: 'gone' },
    },
    {
      what: 'something thrown that is no error',
      says: () => Promise.reject('gone'),
      result: { ok: false, reason: 'gone' },
    },
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

  it('gives up when the time is over, and says so to the source', async () => {
    let heard: AbortSignal | undefined
    const result = asking((signal) => {
      heard = signal
      return new Promise(() => undefined)
    }).ask(500)
    await vi.advanceTimersByTimeAsync(499)
    expect(heard?.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(await result).toEqual({ ok: false, reason: 'did not answer within 500 ms' })
    expect(heard?.aborted).toBe(true)
  })

  it('says so to the source as well when it is closed', async () => {
    let heard: AbortSignal | undefined
    const probe = asking((signal) => {
      heard = signal
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
    })
    const result = probe.ask(500)
    probe.close()
    expect(await result).toEqual({ ok: false, reason: 'aborted' })
    expect(heard?.aborted).toBe(true)
  })
})
