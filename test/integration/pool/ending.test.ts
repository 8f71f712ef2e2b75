import { afterEach, describe, expect, it } from 'vitest'
import type { Pool } from '../../../src/index'
import { aStandby, heal, useCluster } from './support/clusters'
import { rejection, turn, usePools } from './support/pools'

const cluster = useCluster()
const makePool = usePools()
afterEach(() => heal(cluster()))

const ended = 'Cannot use a pool after calling end on the pool'
const ones = (pool: Pool, count: number): Promise<unknown[]> =>
  Promise.all(Array.from({ length: count }, async () => (await pool.query('select 1 as one')).rows[0]))
const expected = (count: number): unknown[] => Array.from({ length: count }, () => ({ one: 1 }))

describe('end() serves whom pg-pool would serve still', () => {
  it.each([1, 10])('before the first look at the hosts: %i calls', async (count) => {
    const { pool } = makePool({ connectionString: cluster().connectionString() })
    const calls = ones(pool, count)
    await pool.end()
    expect(await calls).toEqual(expected(count))
    expect(pool).toMatchObject({ ended: true, totalCount: 0, waitingCount: 0 })
  })

  it('while it connects for them, also by callback', async () => {
    const { pool } = makePool({ connectionString: cluster().connectionString() })
    await pool.query('select 1')
    const client = await pool.connect()
    const calls = ones(pool, 5)
    await turn()
    const over = new Promise<void>((resolve) => pool.end(() => resolve()))
    expect(await calls).toEqual(expected(5))
    client.release()
    await over
    expect(pool.totalCount).toBe(0)
  })

  it('and not who would wait for a client to come back, which pg-pool never answers', async () => {
    const { pool } = makePool({ connectionString: cluster().connectionString(), max: 2 })
    const calls = Array.from({ length: 4 }, () => pool.query('select 1 as one'))
    const settled = Promise.allSettled(calls)
    await pool.end()
    const told = (await settled).map((each) =>
      each.status === 'fulfilled' ? 'served' : (each.reason as Error).message,
    )
    expect(told).toEqual(['served', 'served', ended, ended])
  })

  it('nobody who comes after, and it can be called once', async () => {
    const { pool } = makePool({ connectionString: cluster().connectionString() })
    const call = ones(pool, 1)
    const over = pool.end()
    const late = rejection(pool.query('select 1'))
    const lateClient = rejection(pool.connect())
    const again = rejection(pool.end())
    const againTold = new Promise<Error>((resolve) => pool.end(resolve as () => void))
    expect((await late).message).toBe(ended)
    expect((await lateClient).message).toBe(ended)
    expect((await again).message).toBe('Called end on pool more than once')
    expect((await againTold).message).toBe('Called end on pool more than once')
    await over
    expect(await call).toEqual(expected(1))
  })
})

it('while there is no leader, end() answers everybody at once', async () => {
  const { pool } = makePool({ connectionString: cluster().connectionString() })
  await pool.query('select 1')
  const next = await aStandby(cluster())
  await (await cluster().primary()).kill()
  const told = Array.from({ length: 5 }, () => rejection(pool.query({ text: 'select 1', idempotent: true })))
  await turn()
  while (pool.topology.leader !== undefined) await turn()
  await pool.end()
  expect(new Set((await Promise.all(told)).map(({ message }) => message))).toEqual(new Set([ended]))
  await cluster().promote(next)
})
