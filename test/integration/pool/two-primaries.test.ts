import { afterEach, describe, expect, it } from 'vitest'
import { poll, startCluster } from '../../support'
import type { Cluster } from '../../support'
import { keyOf } from './support/clusters'
import { rejection, usePools } from './support/pools'

const makePool = usePools()
let cluster: Cluster

afterEach(() => cluster?.stop())

const roles = (pool: ReturnType<typeof makePool>['pool']): Record<string, string> =>
  Object.fromEntries(pool.topology.hosts.map(({ host, role }) => [host, role]))

describe('an old primary that lives on after a promotion', () => {
  it('is left, its sessions are cut, and it is never used again until its history is reset', async () => {
    cluster = await startCluster({ hosts: 2 })
    const [old, next] = cluster.hosts
    const { pool, failovers, splitBrains } = makePool({
      connectionString: cluster.connectionString(),
      monitor: { intervalMillis: 100 },
    })
    const client = await pool.connect()
    const cut = new Promise((resolve) => client.once('end', resolve))
    await cluster.promote(next!)
    await cut
    client.release()
    expect(await pool.query(`select current_setting('port')::int as port`).then(({ rows }) => rows)).toEqual([
      { port: next!.port },
    ])
    expect(roles(pool)).toEqual({ [keyOf(old!)]: 'stale', [keyOf(next!)]: 'leader' })
    await poll(() => failovers.length > 0, { what: 'the failover is told' })
    expect(failovers).toMatchObject([{ from: keyOf(old!), to: keyOf(next!), fromTimeline: 1, toTimeline: 2 }])
    expect(splitBrains).toEqual([])

    await next!.kill()
    await poll(() => pool.topology.leader === undefined, { what: 'the loss is noticed' })
    const call = pool.query<{ port: number }>(`select current_setting('port')::int as port`)
    await poll(() => pool.topology.hosts[1]?.reason?.includes('ECONNREFUSED'), { what: 'a round of probes' })
    expect(pool.topology.leader).toBeUndefined()
    expect(pool.topology.hosts[0]?.reason).toContain('is a stale primary: its timeline is 1')
    pool.topology.reset()
    expect((await call).rows).toEqual([{ port: old!.port }])
    expect(pool.topology).toMatchObject({ leader: keyOf(old!), generation: 3, timeline: 1 })
  })

  it('a pool that starts then goes to the higher timeline', async () => {
    cluster = await startCluster({ hosts: 2 })
    const [old, next] = cluster.hosts
    await cluster.promote(next!)
    const { pool } = makePool({ connectionString: cluster.connectionString() })
    await pool.query('select 1')
    await poll(() => roles(pool)[keyOf(old!)] === 'stale', { what: 'the old primary has answered' })
    expect(pool.topology).toMatchObject({ leader: keyOf(next!), timeline: 2, generation: 1 })
  })
})

describe('two primaries on one timeline', () => {
  it('the present leader is kept, and split brain is told once; a pool that starts then has no leader', async () => {
    cluster = await startCluster({ hosts: 3 })
    const [old, first, second] = cluster.hosts
    const { pool, splitBrains, failovers } = makePool({
      connectionString: cluster.connectionString(),
      monitor: { intervalMillis: 50 },
    })
    await pool.query('select 1')
    await cluster.promote(first!)
    await poll(() => pool.topology.leader === keyOf(first!), { what: 'the first promotion is followed' })
    await old!.kill()
    await cluster.promote(second!)
    await poll(() => splitBrains.length > 0, { what: 'split brain is told' })
    expect(splitBrains.map(({ hosts }) => [...hosts].sort())).toEqual([[keyOf(first!), keyOf(second!)].sort()])
    expect(pool.topology.leader).toBe(keyOf(first!))
    expect([...pool.topology.splitBrain].sort()).toEqual([keyOf(first!), keyOf(second!)].sort())
    expect((await pool.query(`select current_setting('port')::int as port`)).rows).toEqual([{ port: first!.port }])
    expect(failovers).toHaveLength(1)

    const late = makePool({ connectionString: cluster.connectionString(), failoverTimeoutMillis: 500 })
    const error = await rejection(late.pool.query('select 1'))
    expect(error.name).toBe('HostSelectionTimeoutError')
    expect(error.message).toContain('claims the lead on the same timeline as')
    expect(late.splitBrains).toHaveLength(1)
    expect(splitBrains).toHaveLength(1)
    await second!.kill()
    expect((await late.pool.query(`select current_setting('port')::int as port`)).rows).toEqual([{ port: first!.port }])
    await poll(() => pool.topology.splitBrain.length === 0, { what: 'the split is over' })
  })
})
