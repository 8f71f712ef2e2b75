import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { watchForStalls } from '../../../src/runtime/heartbeat'

let at = 1000

vi.mock('../../../src/runtime/clock', () => ({ now: () => at }))

beforeEach(() => void vi.useFakeTimers())
afterEach(async () => {
  await run(200)
  vi.useRealTimers()
})

/** Time passes, and every timer fires when it is due. */
async function run(millis: number): Promise<void> {
  for (let passed = 0; passed < millis; passed += 5) {
    at += 5
    await vi.advanceTimersByTimeAsync(5)
  }
}

/** Time passes, and no timer fires. */
function block(millis: number): void {
  at += millis
}

describe('watchForStalls', () => {
  it('finds nothing while timers fire when they are due', async () => {
    const watch = watchForStalls()
    await run(1000)
    block(60)
    await run(100)
    expect(watch.stalled()).toBe(false)
    watch.end()
  })

  it('sees a pause that lasts, before the next beat', async () => {
    const watch = watchForStalls()
    await run(60)
    block(120)
    expect(watch.stalled()).toBe(true)
    watch.end()
  })

  it('remembers a pause after the beat that follows it', async () => {
    const watch = watchForStalls()
    await run(60)
    block(200)
    await run(30)
    expect(watch.stalled()).toBe(true)
    watch.end()
  })

  it('holds a pause against nobody who began after it, were it with the timer of somebody before', async () => {
    const earlier = watchForStalls()
    await run(60)
    block(200)
    await run(30)
    const later = watchForStalls()
    await run(100)
    expect(later.stalled()).toBe(false)
    expect(earlier.stalled()).toBe(true)
    earlier.end()
    later.end()
  })

  it('does not take the time in which nobody watched for a pause', async () => {
    watchForStalls().end()
    block(500)
    const watch = watchForStalls()
    await run(50)
    expect(watch.stalled()).toBe(false)
    watch.end()
  })

  it('leaves no timer when nobody watches any more', async () => {
    const watch = watchForStalls()
    watch.end()
    await run(100)
    expect(vi.getTimerCount()).toBe(0)
  })
})
