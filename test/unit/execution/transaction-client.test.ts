import { EventEmitter } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { TransactionStateError } from '../../../src/errors'
import { viewOfTransaction } from '../../../src/execution/transaction-client'
import type { PoolClient } from '../../../src/pool/session'

class Real extends EventEmitter {
  readonly query = vi.fn(async () => 'rows')
  readonly release = vi.fn()
  readonly end = vi.fn()
  readonly connect = vi.fn()
}

function view() {
  const real = new Real()
  return { real, ...viewOfTransaction(real as unknown as PoolClient) }
}

describe('the client of a transaction', () => {
  it('sends statements until the transaction is over, and nothing after it', async () => {
    const { real, client, close } = view()
    expect(await client.query('select 1')).toBe('rows')
    close()
    await expect(client.query('select 2')).rejects.toThrow(TransactionStateError)
    expect(real.query).toHaveBeenCalledExactlyOnceWith('select 1')
  })

  it.each(['commit', 'ROLLBACK', { text: 'begin' }])('does not send %j', async (query) => {
    const { real, client } = view()
    await expect(client.query(query as string)).rejects.toThrow(TransactionStateError)
    expect(real.query).not.toHaveBeenCalled()
  })

  it.each(['release', 'end', 'connect'] as const)('is not given away: %s()', (name) => {
    const { real, client } = view()
    expect(() => (client as unknown as Record<string, () => void>)[name]?.()).toThrow(TransactionStateError)
    expect(real[name]).not.toHaveBeenCalled()
  })

  it('tells a callback, or an object that is told, in its own form', async () => {
    const { client } = view()
    const callback = vi.fn()
    ;(client.query as (text: string, told: unknown) => void)('commit', callback)
    const submittable = { submit: () => undefined, text: 'commit', handleError: vi.fn() }
    expect((client.query as (query: unknown) => unknown)(submittable)).toBe(submittable)
    await new Promise((resolve) => setImmediate(resolve))
    expect(callback).toHaveBeenCalledExactlyOnceWith(expect.any(TransactionStateError))
    expect(submittable.handleError).toHaveBeenCalledExactlyOnceWith(expect.any(TransactionStateError))
  })

  it('is itself what its methods return for chaining', () => {
    const { client } = view()
    expect(client.on('notice', () => undefined)).toBe(client)
  })
})
