import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { TopologyEvent } from '../../../src/core/topology/events'
import { DecisionTimer } from '../../../src/topology/decision-timer'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  vi.restoreAllMocks()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

function timer() {
  const events: TopologyEvent[] = []
  return { events, timer: new DecisionTimer((event) => events.push(event)) }
}

/** The clock goes on while no timer fires. */
const blockFor = (millis: number): number => {
  const at = performance.now() + millis
  vi.spyOn(performance, 'now').mockReturnValue(at)
  return at
}

describe('DecisionTimer', () => {
  it('calls for a decision when it is due, and only for the last one', () => {
    const { events, timer: due } = timer()
    const start = performance.now()
    due.arm(start + 100, -Infinity)
    due.arm(start + 200, -Infinity)
    vi.advanceTimersByTime(199)
    expect(events).toEqual([])
    vi.advanceTimersByTime(1)
    expect(events).toEqual([{ type: 'tick', at: start + 200 }])
    due.arm(start + 300, -Infinity)
    due.arm(undefined, -Infinity)
    vi.advanceTimersByTime(1000)
    expect(events).toHaveLength(1)
  })

  it('says that this process was blocked when it comes late, and grants a moment', () => {
    const { events, timer: due } = timer()
    due.arm(performance.now() + 100, -Infinity)
    const at = blockFor(5000)
    vi.advanceTimersByTime(100)
    expect(events).toEqual([{ type: 'stalled', at, until: at + 250 }])
  })

  it('a moment that was granted is not granted again', () => {
    const { events, timer: due } = timer()
    const granted = performance.now() + 100
    due.arm(granted, granted)
    const at = blockFor(5000)
    vi.advanceTimersByTime(100)
    expect(events).toEqual([{ type: 'tick', at }])
  })

  it('catches up before its timer comes round, if something is due', () => {
    const { events, timer: due } = timer()
    due.catchUp()
    due.arm(performance.now() + 100, -Infinity)
    due.catchUp()
    expect(events).toEqual([])
    const at = blockFor(120)
    due.catchUp()
    expect(events).toEqual([{ type: 'tick', at }])
    due.cancel()
  })
})
