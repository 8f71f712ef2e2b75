import { beforeEach, describe, expect, it } from 'vitest'
import type { Pool } from '../../../src/index'
import { poll } from '../../support'
import type { Host } from '../../support'
import { heal, useCluster } from '../pool/support/clusters'
import { usePools } from '../pool/support/pools'

const cluster = useCluster()
const makePool = usePools()

beforeEach(() => heal(cluster()))

async function standbys(): Promise<Host[]> {
  const primary = await cluster().primary()
  return cluster().hosts.filter((host) => host !== primary)
}

/** A pool that knows both standbys, with one session on each host. */
async function open(): Promise<Pool> {
  const { pool } = makePool({ connectionString: cluster().connectionString(), max: 1, failoverTimeoutMillis: 20_000 })
  await pool.query('select 1')
  await poll(() => pool.topology.hosts.filter(({ role }) => role === 'standby').length === 2, {
    what: 'both standbys have answered',
  })
  return pool
}

const named = (value: number, readOnly = true): object => ({
  name: 'named',
  text: `select $1::int as n, current_setting('port')::int as port, pg_sleep($2)::text as slept`,
  values: [value, 0],
  readOnly,
})

describe('a named statement', () => {
  const ask = async (pool: Pool, value: number): Promise<number> => {
    const { rows } = await pool.query<{ n: number; port: number }>(named(value) as never)
    expect(rows).toMatchObject([{ n: value }])
    return rows[0]!.port
  }

  it('is parsed once by each host that it goes to, and called there by its name', async () => {
    const pool = await open()
    const ports: number[] = []
    for (let value = 0; value < 30; value += 1) ports.push(await ask(pool, value))
    const known = (await standbys()).map(({ port }) => port).sort()
    expect([...new Set(ports)].sort()).toEqual(known)
    const prepared = `select count(*)::int as n, current_setting('port')::int as port from pg_prepared_statements`
    const seen = new Map<number, number>()
    while (seen.size < 2) {
      const { rows } = await pool.readOnly.query<{ n: number; port: number }>(prepared)
      seen.set(rows[0]!.port, rows[0]!.n)
    }
    expect([...seen.values()]).toEqual([1, 1])
  })

  it('is told by pg that it has another text, on whichever host has it', async () => {
    const pool = await open()
    for (let value = 0; value < 30; value += 1) await ask(pool, value)
    const error = pool.query({ name: 'named', text: 'select 1', readOnly: true })
    await expect(error).rejects.toThrow(
      `Prepared statements must be unique - 'named' was used for a different statement`,
    )
  })

  it('is sent to another host when its own is lost, and goes on there by its name', async () => {
    const pool = await open()
    for (let value = 0; value < 30; value += 1) await ask(pool, value)
    const answered = pool.query<{ n: number; port: number }>({ ...named(99), values: [99, 1] } as never)
    const running = `select count(*)::int as n from pg_stat_activity where wait_event = 'PgSleep'`
    const where = await poll(
      async () => {
        for (const host of await standbys()) if ((await host.query<{ n: number }>(running))[0]!.n === 1) return host
        return undefined
      },
      { what: 'the statement runs' },
    )
    await where.kill()
    const { rows } = await answered
    expect(rows).toMatchObject([{ n: 99 }])
    expect(rows[0]!.port).not.toBe(where.port)
    const other = (await standbys()).find((host) => host !== where)!
    expect(await ask(pool, 100)).toBe(other.port)
    await other.stop('fast')
    await poll(() => pool.topology.hosts.every(({ role }) => role !== 'standby'), { what: 'no standby is left' })
    const { port } = await cluster().primary()
    expect([await ask(pool, 101), await ask(pool, 102)]).toEqual([port, port])
  })
})
