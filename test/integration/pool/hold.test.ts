import { AsyncLocalStorage } from 'node:async_hooks'
import { afterEach, describe, expect, it } from 'vitest'
import { poll } from '../../support'
import { HostSelectionTimeoutError, WaitQueueFullError } from '../../../src/index'
import type { PoolConfig } from '../../../src/index'
import { keyOf, useCluster } from './support/clusters'
import { rejection, turn, usePools } from './support/pools'
import type { Watched } from './support/pools'

const cluster = useCluster({ hosts: 2 })
const makePool = usePools()

afterEach(() => Promise.all(cluster().hosts.map((host) => host.start())))

const connectionString = (): string => cluster().connectionString()

/** A pool that knew a leader and has just lost it; `restore` brings the leader back. */
async function leaderless(config: PoolConfig = {}): Promise<Watched & { restore(): Promise<void> }> {
  const watched = makePool({ connectionString: connectionString(), ...config })
  await watched.pool.query('select 1')
  const primary = await cluster().primary()
  await primary.kill()
  await poll(() => watched.pool.topology.leader === undefined, { what: 'the loss is noticed' })
  return { ...watched, restore: () => primary.start() }
}

describe('while there is no leader', () => {
  it('callers are held and served in order of arrival, with never more clients than max', async () => {
    const { pool, restore } = await leaderless({ max: 4 })
    const order: number[] = []
    let most = 0
    const calls = Array.from({ length: 100 }, (_, index) =>
      pool.connect().then((client) => {
        order.push(index)
        most = Math.max(most, pool.totalCount)
        setImmediate(() => client.release())
      }),
    )
    await turn()
    expect(pool.waitingCount).toBe(100)
    await restore()
    await Promise.all(calls)
    expect(order).toEqual(calls.map((_, index) => index))
    expect(most).toBeLessThanOrEqual(4)
    expect(pool.waitingCount).toBe(0)
  })

  it('statements are sent in order of arrival, whatever their form', async () => {
    const { pool, restore } = await leaderless({ max: 1 })
    const order: number[] = []
    const calls = Array.from({ length: 30 }, (_, index) => {
      const text = `select ${index}`
      return index % 2 === 0
        ? pool.query(text).then(() => order.push(index))
        : new Promise<void>((resolve, reject) => {
            pool.query(text, (error: Error | undefined) => {
              order.push(index)
              if (error) reject(error)
              else resolve()
            })
          })
    })
    await restore()
    await Promise.all(calls)
    // A promise settles a few microtasks after a callback; neighbours may not.
    expect(order.filter((index) => index % 2 === 0)).toEqual(
      calls.flatMap((_, index) => (index % 2 === 0 ? [index] : [])),
    )
    expect(order.filter((index) => index % 2 === 1)).toEqual(
      calls.flatMap((_, index) => (index % 2 === 1 ? [index] : [])),
    )
  })

  it('the story counts them', async () => {
    const { pool, restore, failovers } = await leaderless()
    const calls = Promise.all(Array.from({ length: 5 }, () => pool.query('select 1')))
    await restore()
    await calls
    await poll(() => failovers.length > 0, { what: 'the failover is told' })
    const key = keyOf(await cluster().primary())
    expect(failovers).toMatchObject([{ from: key, to: key, held: 5, replayed: 0, unknown: 0, generation: 2 }])
    const { leaderlessMillis, longestHoldMillis } = failovers[0]!
    expect(leaderlessMillis).toBeGreaterThan(0)
    expect(longestHoldMillis).toBeGreaterThan(0)
    expect(longestHoldMillis).toBeLessThanOrEqual(leaderlessMillis)
  })

  it.each([
    { limit: 'failoverTimeoutMillis', config: { failoverTimeoutMillis: 200 } },
    { limit: 'failoverTimeoutMillis', config: { failoverTimeoutMillis: 200, connectionTimeoutMillis: 20_000 } },
    { limit: 'connectionTimeoutMillis', config: { connectionTimeoutMillis: 200 } },
  ])('a caller whose $limit is over is told why, host by host ($config)', async ({ limit, config }) => {
    const { pool } = await leaderless(config)
    const error = await rejection(pool.connect())
    expect(error).toBeInstanceOf(HostSelectionTimeoutError)
    const [first, second] = cluster().hosts.map((host) => keyOf(host))
    expect(error).toMatchObject({ code: '08001', limit, name: 'HostSelectionTimeoutError' })
    expect(error['waitedMillis']).toBeGreaterThanOrEqual(199)
    const hosts = error['hosts'] as { host: string; reason: string }[]
    expect(hosts.map(({ host }) => host)).toEqual([first, second])
    expect(hosts.map(({ reason }) => reason)).toContain('is a standby (in recovery)')
    expect(error.message).toContain(limit)
    expect(error.message).toContain('ECONNREFUSED')
    for (const { host, reason } of hosts) expect(error.message).toContain(`${host} ${reason}`)
    expect(error.message).not.toContain(cluster().password)
    expect(pool.waitingCount).toBe(0)
  })

  it('with a limit of its own, the hold does not count against connectionTimeoutMillis', async () => {
    const { pool, restore } = await leaderless({ connectionTimeoutMillis: 1000, failoverTimeoutMillis: 25_000 })
    const call = pool.query('select 1')
    const answered = call.then(() => true)
    await new Promise((resolve) => setTimeout(resolve, 1200))
    await restore()
    expect(await answered).toBe(true)
  })

  it('callers beyond maxWaiting are refused at once', async () => {
    const { pool, restore } = await leaderless({ maxWaiting: 2 })
    const held = [pool.query('select 1'), pool.query('select 1')]
    const error = await rejection(pool.query('select 1'))
    expect(error).toBeInstanceOf(WaitQueueFullError)
    expect(error.message).toMatch(/2 callers wait .*maxWaiting/)
    expect(pool.waitingCount).toBe(2)
    await restore()
    await Promise.all(held)
    await pool.query('select 1')
  })

  it('a signal ends the wait, with its own reason', async () => {
    const { pool, restore } = await leaderless({ max: 1 })
    const controller = new AbortController()
    const reason = new Error('the user went away')
    const aborted = rejection(pool.query({ text: 'select 1', signal: controller.signal }))
    const patient = pool.query('select 2 as two')
    const already = rejection(pool.query({ text: 'select 1', signal: AbortSignal.abort() }))
    await turn()
    controller.abort(reason)
    expect(await aborted).toBe(reason)
    expect(await already).toMatchObject({ name: 'AbortError' })
    expect(pool.waitingCount).toBe(1)
    await restore()
    expect((await patient).rows).toEqual([{ two: 2 }])
  })

  it('end() answers every waiter', async () => {
    const { pool } = await leaderless()
    const calls = [pool.connect(), pool.query('select 1')].map((call) => rejection(call))
    const callback = new Promise((resolve) => pool.query('select 1', (error: Error | undefined) => resolve(error)))
    await pool.end()
    const message = 'Cannot use a pool after calling end on the pool'
    for (const call of [...calls, callback]) expect(await call).toMatchObject({ message })
    expect(pool.ended).toBe(true)
    expect(pool.waitingCount).toBe(0)
  })

  it('held callers come back in the async context they came from', async () => {
    const { pool, restore } = await leaderless({ max: 2 })
    const storage = new AsyncLocalStorage<number>()
    const seen: (readonly [number, number | undefined])[] = []
    const calls = [1, 2, 3, 4, 5, 6].map((index) =>
      storage.run(
        index,
        () =>
          new Promise<void>((resolve) => {
            pool.connect((_error, _client, done) => {
              seen.push([index, storage.getStore()])
              done()
              resolve()
            })
          }),
      ),
    )
    await restore()
    await Promise.all(calls)
    expect(seen).toHaveLength(6)
    for (const [index, store] of seen) expect(store).toBe(index)
  })
})

describe('at the start', () => {
  it('without a leader callers wait until one appears', async () => {
    const [old, next] = cluster().hosts
    await old!.kill()
    const { pool, failovers } = makePool({ connectionString: connectionString() })
    const call = pool.query<{ port: number }>(`select current_setting('port')::int as port`)
    await poll(() => pool.topology.hosts.some(({ role }) => role === 'standby'), { what: 'the standby is seen' })
    expect(pool.topology).toMatchObject({ leader: undefined, generation: 0 })
    await cluster().promote(next!)
    expect((await call).rows).toEqual([{ port: next!.port }])
    expect(pool.topology).toMatchObject({ leader: keyOf(next!), generation: 1, timeline: 2 })
    expect(failovers).toEqual([])
    await cluster().rejoin(old!, next!)
    await cluster().switchover(old!)
  })

  it('no host is asked before the first call', async () => {
    const { pool, topologies } = makePool({ connectionString: connectionString() })
    await turn()
    expect(topologies).toEqual([])
    expect(pool.topology.hosts.map(({ role, reason }) => [role, reason])).toEqual([
      ['unknown', 'has not answered yet'],
      ['unknown', 'has not answered yet'],
    ])
    await pool.query('select 1')
    expect(Object.isFrozen(pool.topology)).toBe(true)
    expect(pool.topology.hosts.map(({ role }) => role).sort()).toEqual(['leader', 'standby'])
  })
})

describe('with a leader', () => {
  it('waiting for a client to become free is no hold: pg-pool’s own words', async () => {
    const { pool } = makePool({ connectionString: connectionString(), max: 1, connectionTimeoutMillis: 300 })
    const client = await pool.connect()
    expect(await rejection(pool.connect())).toMatchObject({ message: 'timeout exceeded when trying to connect' })
    client.release()
    expect((await pool.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }])
  })
})
