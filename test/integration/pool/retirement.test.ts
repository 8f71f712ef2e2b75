import { beforeAll, describe, expect, it } from 'vitest'
import { poll } from '../../support'
import { aStandby, heal, keyOf, useCluster } from './support/clusters'
import { createTable } from './support/load'
import { rejection, usePools } from './support/pools'
import type { Watched } from './support/pools'

const cluster = useCluster({ hosts: 2 })
const makePool = usePools()

beforeAll(async () => {
  await (await cluster().primary()).query(createTable)
})

let count = 0
function named(config: object = {}): Watched & { name: string } {
  const name = `retirement-${(count += 1)}`
  return { name, ...makePool({ connectionString: cluster().connectionString({ application_name: name }), ...config }) }
}

/** Sessions of one pool on one server, without its monitor's. */
const sessions = `select pid from pg_stat_activity
  where application_name = $1 and query not like '%pg_is_in_recovery%'`

describe('when somebody else leads', () => {
  it('idle and checked-out clients of the old generation are gone, counts and all', async () => {
    const old = await cluster().primary()
    const next = await aStandby(cluster())
    const { pool, name, topologies } = named({ max: 5 })
    const clients = await Promise.all(Array.from({ length: 5 }, () => pool.connect()))
    const [kept, ...others] = clients
    for (const client of others) client.release()
    expect(pool).toMatchObject({ totalCount: 5, idleCount: 4 })
    const removed: unknown[] = []
    pool.on('remove', (client) => removed.push(client))
    await cluster().switchover(next)
    await poll(() => pool.topology.leader === keyOf(next), { what: 'the promotion is followed' })
    await poll(() => removed.length === 4, { what: 'the idle clients are gone' })
    expect(pool).toMatchObject({ totalCount: 1, idleCount: 0 })
    expect(await rejection(kept!.query('select 1'))).toBeInstanceOf(Error)
    kept!.release()
    await poll(() => pool.totalCount === 0, { what: 'the last client is gone' })
    expect(removed).toHaveLength(5)
    await pool.query('select 1')
    expect(await old.query(sessions, [name])).toEqual([])
    expect(await next.query(sessions, [name])).toHaveLength(1)
    for (const snapshot of topologies) expect(Object.isFrozen(snapshot)).toBe(true)
    const generations = topologies.map(({ generation }) => generation)
    expect(generations).toEqual([...generations].sort((a, b) => a - b))
    expect(generations.at(-1)).toBe(2)
  })

  it('one failover is told once, and every one of several', async () => {
    await heal(cluster())
    const { pool, failovers } = named()
    await pool.query('select 1')
    for (let round = 1; round <= 3; round += 1) {
      await cluster().switchover(await aStandby(cluster()))
      await pool.query('select 1')
      await poll(() => failovers.length >= round, { what: 'the failover is told' })
    }
    expect(failovers.map(({ generation }) => generation)).toEqual([2, 3, 4])
    for (const [index, { from, fromTimeline, toTimeline }] of failovers.entries()) {
      expect(toTimeline).toBe((fromTimeline ?? 0) + 1)
      expect(from).toBe(index === 0 ? from : failovers[index - 1]!.to)
    }
  })

  it('callers that are just connecting are served by the next leader', async () => {
    await heal(cluster())
    for (const mode of ['fast', 'immediate', 'kill'] as const) {
      const { pool } = named({ max: 20 })
      await pool.query('select 1')
      const primary = await cluster().primary()
      const restarting = primary.restart(mode)
      const failed: unknown[] = []
      const calls: Promise<void>[] = []
      let done = false
      void restarting.then(() => (done = true))
      while (!done) {
        const call = pool.connect().then(
          (client) => client.release(true),
          (error: unknown) => void failed.push(error),
        )
        calls.push(call)
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
      await Promise.all(calls)
      expect(failed).toEqual([])
      await restarting
    }
  })

  it('a client that listens to its own errors hears of the loss as in pg, and its release is harmless', async () => {
    await heal(cluster())
    const { pool } = named()
    const client = await pool.connect()
    const errors: Error[] = []
    client.on('error', (error) => errors.push(error))
    await (await cluster().primary()).restart('fast')
    await poll(() => errors.length > 0, { what: 'the loss is told' })
    client.release(errors[0])
    await pool.query('select 1')
    expect(errors[0]).toMatchObject({ code: '57P01' })
    expect(errors.map(({ name }) => name)).not.toContain('RetiredError')
    expect(pool.totalCount).toBe(1)
  })
})
