import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AuthorityProbe } from '../../../src/discovery/authority-probe'
import { DiscoveryProbe } from '../../../src/discovery/discovery-probe'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

type Source = (signal: AbortSignal) => unknown

/** Whatever a source is asked for, it is code of others. */
describe.each([
  ['AuthorityProbe', (leader: Source) => new AuthorityProbe({ name: 'dcs', leader } as never)],
  ['DiscoveryProbe', (hosts: Source) => new DiscoveryProbe({ name: 'registry', hosts } as never)],
])('%s', (_name, asking) => {
  it.each<[string, Source]>([
    ['a rejection', () => Promise.reject(new Error('gone'))],
    [
      'something thrown',
      () => {
        throw new Error('gone')
      },
    ],
    ['something thrown that is no error', () => Promise.reject('gone')],
  ])('brings %s as the reason', async (_what, says) => {
    expect(await asking(says).ask(500)).toEqual({ ok: false, reason: 'gone' })
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
