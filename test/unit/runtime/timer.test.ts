import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { after, limit } from '../../../src/runtime/timer'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('after', () => {
  it('calls back once, and not after it was cancelled', () => {
    const called = vi.fn()
    after(10, called)
    after(10, called).cancel()
    vi.advanceTimersByTime(1000)
    expect(called).toHaveBeenCalledTimes(1)
  })

  it('neither hurries what takes longer than a month nor fears the past', () => {
    const late = vi.fn()
    const past = vi.fn()
    after(2 ** 40, late)
    after(-5, past)
    vi.advanceTimersByTime(1000)
    expect(late).not.toHaveBeenCalled()
    expect(past).toHaveBeenCalledTimes(1)
  })

  it('lets the process end unless it is told not to', () => {
    const timers = vi.spyOn(globalThis, 'setTimeout')
    after(10, () => undefined)
    after(10, () => undefined, { ref: true })
    expect(timers.mock.results.map(({ value }) => (value as NodeJS.Timeout).hasRef())).toEqual([false, true])
    timers.mockRestore()
  })
})

describe('limit', () => {
  it('expires when the time is up', () => {
    const expired = vi.fn()
    limit(100, expired)
    vi.advanceTimersByTime(99)
    expect(expired).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(expired).toHaveBeenCalledTimes(1)
  })

  it('puts its verdict off by another period when its timer fires late: this process was blocked', () => {
    const expired = vi.fn()
    limit(100, expired)
    // The clock goes on while the timer does not: 300 ms during which nothing ran.
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 400)
    vi.advanceTimersByTime(100)
    expect(expired).not.toHaveBeenCalled()
    clock.mockReturnValue(performance.now() + 100)
    vi.advanceTimersByTime(100)
    expect(expired).toHaveBeenCalledTimes(1)
    clock.mockRestore()
  })

  it('can be cancelled, also after it was put off', () => {
    const expired = vi.fn()
    const timer = limit(100, expired)
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 400)
    vi.advanceTimersByTime(100)
    timer.cancel()
    clock.mockRestore()
    vi.advanceTimersByTime(10_000)
    expect(expired).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
  })
})
