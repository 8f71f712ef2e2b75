import { beforeAll, describe, expect, it } from 'vitest'
import { poll } from '../../support'
import type { Cluster } from '../../support'
import { aStandby, heal, keyOf, useCluster } from './support/clusters'
import { countRows, createTable, startLoad } from './support/load'
import { usePools } from './support/pools'

const cluster = useCluster()
const makePool = usePools()

beforeAll(async () => {
  await (await cluster().primary()).query(createTable)
})

interface Loss {
  readonly what: string
  /** Whether the standbys have all that was acknowledged, and it is known of every statement what became of it. */
  readonly clean: boolean
  readonly lose: (cluster: Cluster) => Promise<unknown>
}

const losses: Loss[] = [
  { what: 'kill -9 and promote', clean: false, lose: async (c) => c.failover(await aStandby(c)) },
  { what: 'switchover', clean: true, lose: async (c) => c.switchover(await aStandby(c)) },
  { what: 'restart in place, fast', clean: true, lose: async (c) => (await c.primary()).restart('fast') },
  { what: 'restart in place, immediate', clean: false, lose: async (c) => (await c.primary()).restart('immediate') },
  { what: 'restart in place, kill', clean: false, lose: async (c) => (await c.primary()).restart('kill') },
]

describe.each(losses)('under load, $what', ({ what, clean, lose }) => {
  it('reads and idempotent writes do not fail, plain writes are executed once or of unknown outcome', async () => {
    await heal(cluster())
    const { pool, failovers, errors } = makePool({ connectionString: cluster().connectionString() })
    const load = startLoad(pool, what)
    await load.everybodyServed()
    const from = keyOf(await cluster().primary())
    await lose(cluster())
    await load.everybodyServed()
    const to = keyOf(await cluster().primary())
    await load.stop()
    await poll(() => failovers.length > 0, { what: 'the failover is told' })

    expect(load.reads.failed).toEqual([])
    expect(load.reads.unknown).toEqual([])
    expect(load.idempotent.failed).toEqual([])
    expect(load.idempotent.unknown).toEqual([])
    expect(load.writes.failed).toEqual([])
    const rows = await countRows(pool, what)
    expect(Math.max(...[...rows].filter(([id]) => id.includes('/writes/')).map(([, count]) => count))).toBe(1)
    if (clean) {
      expect(load.writes.unknown).toEqual([])
      expect(load.writes.acknowledged.filter((id) => !rows.has(id))).toEqual([])
    }
    expect(failovers).toMatchObject([{ from, to, generation: 2, unknown: load.writes.unknown.length }])
    expect(pool.topology).toMatchObject({ leader: to, generation: 2 })
    // A client that was idle when its server went away is news for the pool's listeners, as in pg.
    expect(errors.map((error) => error.name)).not.toContain('RetiredError')
  })
})
