import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Clients } from '../../../src/pool/clients'
import { whenIdle } from '../../../src/pool/pause'
import { FakeClient } from './support/fake-client'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

function checkedOut(count: number): { clients: Clients; inUse: FakeClient[] } {
  const clients = new Clients()
  const inUse = Array.from({ length: count }, () => new FakeClient())
  for (const client of inUse) clients.acquired(client.asPoolClient)
  return { clients, inUse }
}

describe('whenIdle', () => {
  it('resolves at once when nothing is checked out but what is ignored', async () => {
    await expect(whenIdle(checkedOut(0).clients, {})).resolves.toBeUndefined()
    const { clients, inUse } = checkedOut(2)
    await expect(whenIdle(clients, { ignore: inUse.map((each) => each.asPoolClient) })).resolves.toBeUndefined()
  })

  it('resolves with the last release', async () => {
    const { clients, inUse } = checkedOut(2)
    const settled = vi.fn()
    const idle = whenIdle(clients, { timeoutMillis: 1000 }).then(settled)
    clients.released(inUse[0]!.asPoolClient)
    await Promise.resolve()
    expect(settled).not.toHaveBeenCalled()
    clients.released(inUse[1]!.asPoolClient)
    await idle
    expect(settled).toHaveBeenCalledTimes(1)
  })

  it('rejects when the time is over, with the number of those who are left', async () => {
    const { clients, inUse } = checkedOut(3)
    const idle = expect(whenIdle(clients, { timeoutMillis: 500 })).rejects.toThrow(
      /2 clients are still checked out after 500 ms \(timeoutMillis\)/,
    )
    clients.released(inUse[0]!.asPoolClient)
    vi.advanceTimersByTime(500)
    await idle
  })
})
