import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Monitor } from '../../../src/monitor/monitor'
import type { MonitorOwner } from '../../../src/monitor/monitor'
import type { ProbeResult } from '../../../src/monitor/probe'

const result: ProbeResult = { ok: false, failure: { reason: 'test', aboutCaller: false, error: undefined } }

/** A probe whose questions stay open until they are answered here. */
function fakeProbe() {
  const open: ((answer: ProbeResult) => void)[] = []
  const probe = {
    asked: 0,
    closed: 0,
    mostOpen: 0,
    get open(): number {
      return open.length
    },
    ask: async (): Promise<ProbeResult> => {
      probe.asked += 1
      return new Promise((resolve) => {
        open.push(resolve)
        probe.mostOpen = Math.max(probe.mostOpen, open.length)
      })
    },
    close: (): void => void (probe.closed += 1),
    /** Answers the oldest open question, and lets everybody hear of it. */
    answer: async (): Promise<void> => {
      open.shift()?.(result)
      await vi.advanceTimersByTimeAsync(0)
    },
  }
  return probe
}

function watch(owner: Partial<MonitorOwner<ProbeResult>> = {}) {
  const probe = fakeProbe()
  const reports: number[] = []
  const slow: number[] = []
  const monitor = new Monitor(
    'a:1',
    probe,
    {
      intervalMillis: () => 1000,
      slow: () => void slow.push(performance.now()),
      report: (_host, sentAt) => void reports.push(sentAt),
      ...owner,
    },
    500,
  )
  return { monitor, probe, reports, slow }
}

/** Whether a promise is settled by now. */
function settledness(promise: Promise<void>): { readonly settled: boolean } {
  const state = { settled: false }
  void promise.then(() => (state.settled = true))
  return state
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

describe('Monitor', () => {
  it('asks at once when it is woken, then on its rhythm, counted from when it asked', async () => {
    const { monitor, probe, reports } = watch()
    const start = performance.now()
    monitor.wake()
    expect(probe.asked).toBe(1)
    await vi.advanceTimersByTimeAsync(300)
    await probe.answer()
    await vi.advanceTimersByTimeAsync(699)
    expect(probe.asked).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(probe.asked).toBe(2)
    await probe.answer()
    expect(reports.map((at) => at - start)).toEqual([0, 1000])
    monitor.stop()
  })

  it('asks one question at a time, and once more for all who woke it meanwhile', async () => {
    const { monitor, probe } = watch()
    monitor.wake()
    monitor.wake()
    monitor.wake()
    expect(probe.asked).toBe(1)
    await probe.answer()
    expect(probe.asked).toBe(2)
    await probe.answer()
    expect(probe.asked).toBe(2)
    monitor.stop()
  })

  it('tells once of a question that has been open for a quarter of its time, not of one that was answered', async () => {
    const { monitor, probe, slow } = watch()
    monitor.wake()
    await vi.advanceTimersByTimeAsync(124)
    await probe.answer()
    await vi.advanceTimersByTimeAsync(500)
    expect(slow).toEqual([])
    monitor.wake()
    const askedAt = performance.now()
    await vi.advanceTimersByTimeAsync(499)
    expect(slow).toEqual([askedAt + 125])
    await probe.answer()
    monitor.stop()
  })

  it('calls nobody slow while this process was blocked itself', async () => {
    const { monitor, probe, slow } = watch()
    monitor.wake()
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 5000)
    await vi.advanceTimersByTimeAsync(125)
    expect(slow).toEqual([])
    await probe.answer()
    clock.mockRestore()
    monitor.stop()
  })

  it('tells nothing once it was stopped', async () => {
    const { monitor, probe, slow } = watch()
    monitor.wake()
    monitor.stop()
    await vi.advanceTimersByTimeAsync(500)
    expect(slow).toEqual([])
    await probe.answer()
  })

  it('one at a time also for those who wake it twice from within its own report', async () => {
    const { monitor, probe } = watch({
      report: () => {
        if (probe.asked > 1) return
        monitor.wake()
        monitor.wake()
      },
    })
    monitor.wake()
    await probe.answer()
    expect(probe.asked).toBeGreaterThan(1)
    expect(probe.mostOpen).toBe(1)
    monitor.stop()
  })

  it('fresh() waits for an answer to a question that was sent after it was called', async () => {
    const { monitor, probe } = watch()
    const idle = settledness(monitor.fresh())
    const busy = settledness(monitor.fresh())
    expect(probe.asked).toBe(1)
    await probe.answer()
    expect(idle.settled).toBe(true)
    expect(busy.settled).toBe(false)
    expect(probe.asked).toBe(2)
    await probe.answer()
    expect(busy.settled).toBe(true)
    monitor.stop()
  })

  it('fresh() does so also when it is called from within a report', async () => {
    let inside: { readonly settled: boolean } | undefined
    const { monitor, probe } = watch({ report: () => void (inside ??= settledness(monitor.fresh())) })
    monitor.wake()
    await probe.answer()
    expect(probe.asked).toBe(2)
    expect(inside?.settled).toBe(false)
    await probe.answer()
    expect(inside?.settled).toBe(true)
    monitor.stop()
  })

  it('who waits for fresh news has been preceded by the report', async () => {
    const order: string[] = []
    const { monitor, probe } = watch({ report: () => void order.push('report') })
    void monitor.fresh().then(() => order.push('fresh'))
    await probe.answer()
    expect(order).toEqual(['report', 'fresh'])
    monitor.stop()
  })

  it('asks for its interval anew when it is rescheduled, without losing the time that has passed', async () => {
    let interval = 1000
    const { monitor, probe } = watch({ intervalMillis: () => interval })
    monitor.reschedule()
    expect(probe.asked).toBe(0)
    monitor.wake()
    await probe.answer()
    await vi.advanceTimersByTimeAsync(20)
    interval = 25
    monitor.reschedule()
    await vi.advanceTimersByTimeAsync(4)
    expect(probe.asked).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(probe.asked).toBe(2)
    // While a question is open the rhythm is decided by its answer.
    monitor.reschedule()
    expect(probe.asked).toBe(2)
    await probe.answer()
    monitor.stop()
  })

  it('parks no session between questions that are asked only when something happened', async () => {
    const { monitor, probe } = watch({ intervalMillis: () => Infinity })
    monitor.wake()
    await probe.answer()
    expect(probe.closed).toBe(1)
    await vi.advanceTimersByTimeAsync(1e9)
    expect(probe.asked).toBe(1)
    monitor.stop()
  })

  it('is silent once it was stopped, and lets go of everybody who waits', async () => {
    const { monitor, probe, reports } = watch()
    const first = settledness(monitor.fresh())
    const second = settledness(monitor.fresh())
    monitor.stop()
    await vi.advanceTimersByTimeAsync(0)
    expect([first.settled, second.settled]).toEqual([true, true])
    expect(probe.closed).toBe(1)
    await probe.answer()
    monitor.wake()
    monitor.reschedule()
    await monitor.fresh()
    expect(probe.asked).toBe(1)
    expect(reports).toEqual([])
  })
})
