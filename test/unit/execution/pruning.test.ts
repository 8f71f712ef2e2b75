import { AsyncLocalStorage } from 'node:async_hooks'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { pruneBatch } from '../../../src/core/outcome/marker-age'
import { Pruning } from '../../../src/execution/pruning'
import type { PoolClient } from '../../../src/pool/session'

/** A leader that deletes so many rows, statement by statement. */
function leaderOf(...counts: readonly number[]) {
  const deleted: string[] = []
  const query = async (text: string): Promise<unknown> => {
    deleted.push(text)
    return { rowCount: counts[deleted.length - 1] ?? 0 }
  }
  const leader = vi.fn(async () => ({
    client: { query } as unknown as PoolClient,
    host: 'a',
    release: () => undefined,
  }))
  return { leader, deleted }
}

const table = { table: 'public.m', maxAgeMillis: 5000 }

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(Math, 'random').mockReturnValue(0)
})
afterEach(() => void vi.useRealTimers())

describe('Pruning', () => {
  it('comes soon after the first row, and not again before a minute is over, however many are written', async () => {
    const { leader, deleted } = leaderOf()
    const pruning = new Pruning(leader, table)
    expect(vi.getTimerCount()).toBe(0)
    for (let row = 0; row < 10; row += 1) pruning.written()
    await vi.advanceTimersByTimeAsync(500)
    expect(deleted).toHaveLength(1)
    expect(deleted[0]).toContain(`written_at < now() - interval '5000 milliseconds'`)
    for (let second = 0; second < 59; second += 1) {
      pruning.written()
      await vi.advanceTimersByTimeAsync(1000)
    }
    expect(deleted).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1000)
    expect(deleted).toHaveLength(2)
    // Nothing is written any more.
    await vi.advanceTimersByTimeAsync(600_000)
    expect(deleted).toHaveLength(2)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('goes on while there is more', async () => {
    const { leader, deleted } = leaderOf(pruneBatch, pruneBatch, 7)
    new Pruning(leader, table).written()
    await vi.advanceTimersByTimeAsync(500)
    expect([deleted.length, leader.mock.calls.length]).toEqual([3, 1])
  })

  it('is tried again a minute later where it failed', async () => {
    const leader = vi.fn(() => Promise.reject(new Error('nobody leads')))
    const pruning = new Pruning(leader, table)
    pruning.written()
    await vi.advanceTimersByTimeAsync(500)
    pruning.written()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(leader).toHaveBeenCalledTimes(2)
  })

  it('is over with its pool', async () => {
    const { leader } = leaderOf()
    const pruning = new Pruning(leader, table)
    pruning.written()
    pruning.end()
    pruning.written()
    const idle = new Pruning(leader, table)
    idle.end()
    idle.written()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('never comes where rows are to stay', () => {
    new Pruning(leaderOf().leader, { ...table, maxAgeMillis: Infinity }).written()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is nobody’s request', async () => {
    // Timers that are not real have no context.
    vi.useRealTimers()
    const storage = new AsyncLocalStorage<string>()
    const seen = await new Promise((resolve) => {
      const leader = async (): Promise<never> => {
        resolve(storage.getStore())
        throw new Error('seen enough')
      }
      const pruning = new Pruning(leader, table)
      storage.run('a request', () => pruning.written())
    })
    expect(seen).toBeUndefined()
  })
})
