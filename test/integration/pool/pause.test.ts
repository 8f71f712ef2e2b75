import { describe, expect, it } from 'vitest'
import type { PoolConfig } from '../../../src/index'
import { poll } from '../../support'
import { useCluster } from './support/clusters'
import { rejection, turn, usePools } from './support/pools'

const cluster = useCluster({ hosts: 2 })
const makePool = usePools()

const kinds: { what: string; config: () => PoolConfig }[] = [
  { what: 'a pool that follows', config: () => ({ connectionString: cluster().connectionString() }) },
  {
    what: 'a pool of one host',
    config: () => ({ connectionString: cluster().connectionStringFor(cluster().hosts[0]!) }),
  },
]

/** Whether a promise has settled by now, as far as a round trip to the server takes. */
async function isPending(promise: Promise<unknown>, config: PoolConfig): Promise<boolean> {
  let settled = false
  promise.then(
    () => (settled = true),
    () => (settled = true),
  )
  const other = makePool(config)
  await other.pool.query('select 1')
  await turn()
  return !settled
}

describe.each(kinds)('pause() of $what', ({ config }) => {
  it('holds new callers, waits for work in flight, and resume() serves them in order', async () => {
    const { pool } = makePool({ ...config(), max: 1 })
    const client = await pool.connect()
    const paused = pool.pause()
    const order: number[] = []
    const calls = [1, 2, 3].map((index) => pool.query('select 1').then(() => order.push(index)))
    const connecting = pool.connect()
    expect(await isPending(Promise.race([paused, ...calls, connecting]), config())).toBe(true)
    expect(pool.waitingCount).toBe(4)
    await client.query('select 1')
    client.release()
    await paused
    expect(await isPending(Promise.race([...calls, connecting]), config())).toBe(true)
    pool.resume()
    await Promise.all(calls)
    ;(await connecting).release()
    expect(order).toEqual([1, 2, 3])
    expect((await pool.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  it('resolves at once where nothing is in flight, and resume() without pause does nothing', async () => {
    const { pool } = makePool(config())
    pool.resume()
    await pool.pause()
    pool.resume()
    await pool.query('select 1')
    await pool.pause()
    await pool.pause()
    pool.resume()
    await pool.query('select 1')
  })

  it('rejects after timeoutMillis, and goes on', async () => {
    const { pool } = makePool(config())
    const client = await pool.connect()
    const error = await rejection(pool.pause({ timeoutMillis: 50 }))
    expect(error.message).toMatch(/1 clients? .* 50 ms \(timeoutMillis\)/)
    await pool.query('select 1')
    client.release()
  })

  it('does not wait for clients to be ignored', async () => {
    const { pool } = makePool(config())
    const listener = await pool.connect()
    const worker = await pool.connect()
    const paused = pool.pause({ ignore: [listener] })
    expect(await isPending(paused, config())).toBe(true)
    worker.release()
    await paused
    pool.resume()
    listener.release()
  })

  it('a client that is released with an error counts as released', async () => {
    const { pool } = makePool(config())
    const client = await pool.connect()
    const paused = pool.pause()
    client.release(true)
    await paused
    pool.resume()
    await pool.query('select 1')
  })

  it('end() answers those who are held', async () => {
    const { pool } = makePool(config())
    await pool.pause()
    const call = rejection(pool.query('select 1'))
    await pool.end()
    expect((await call).message).toBe('Cannot use a pool after calling end on the pool')
  })
})

it('a caller is held no longer than failoverTimeoutMillis, and told that the pool is paused', async () => {
  const { pool } = makePool({ connectionString: cluster().connectionString(), failoverTimeoutMillis: 100 })
  await pool.query('select 1')
  await pool.pause()
  const error = await rejection(pool.query('select 1'))
  expect(error).toMatchObject({ name: 'HostSelectionTimeoutError', limit: 'failoverTimeoutMillis' })
  expect(error.message).toContain('the pool is paused; call resume()')
  pool.resume()
})

it('a planned restart between pause() and resume() costs no statement', async () => {
  const { pool, failovers, errors } = makePool({ connectionString: cluster().connectionString() })
  await Promise.all([pool.query('select 1'), pool.query('select 1')])
  await pool.pause()
  await cluster().hosts[0]!.restart()
  const calls = [pool.query('select 1'), pool.query('do $$ begin end $$')]
  pool.resume()
  await Promise.all(calls)
  await poll(() => failovers.length > 0, { what: 'the failover is told' })
  expect(failovers).toMatchObject([{ replayed: 0, unknown: 0 }])
  for (const error of errors) expect(error).toMatchObject({ code: '57P01' })
})
