import type pg from 'pg'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { readOnly, session } from '../../../src/index'
import type { Pool } from '../../../src/index'
import { FaultProxy, poll } from '../../support'
import type { Host } from '../../support'
import { heal, useCluster } from '../pool/support/clusters'
import { usePools } from '../pool/support/pools'
import { known, replay, standbysOf } from './support/standbys'

const cluster = useCluster()
const makePool = usePools()

const open = (config: object = {}): Pool =>
  makePool({ connectionString: cluster().connectionString(), failoverTimeoutMillis: 20_000, ...config }).pool

const standbys = (): Promise<readonly Host[]> => standbysOf(cluster())

beforeEach(async () => {
  await heal(cluster())
  await replay('resume', await standbys())
  await (await cluster().primary()).query('drop table if exists written; create table written (n int)')
  await cluster().waitForReplication()
})

interface Seen {
  n: number
  port: number
}
const text = `select count(*)::int as n, current_setting('port')::int as port from written`
const write = 'insert into written values (1)'
const seen = async (client: pg.ClientBase): Promise<Seen> => (await client.query<Seen>(text)).rows[0]!

/** What a client sees that reads and that somebody holds, by each of the ways to get one. */
const readers: Record<string, (pool: Pool) => Promise<Seen>> = {
  'transaction(…, { readOnly: true })': (pool) => pool.transaction(seen, { readOnly: true }),
  'transaction in readOnly()': (pool) => readOnly(() => pool.transaction(seen)),
  'readOnly.connect()': (pool) => held(pool.readOnly),
  'connect() in readOnly()': (pool) => readOnly(() => held(pool)),
}
async function held(pool: pg.Pool): Promise<Seen> {
  const client = await pool.connect()
  try {
    return await seen(client)
  } finally {
    client.release()
  }
}

describe.each(Object.entries(readers))('inside of a session, %s', (_way, read) => {
  it('sees what the session has written: on the leader while no standby has it, on a standby when one has', async () => {
    const pool = open()
    await known(pool)
    const leader = (await cluster().primary()).port
    await replay('pause', await standbys())
    await session(async () => {
      expect((await read(pool)).port).not.toBe(leader)
      await pool.query(write)
      expect(await read(pool)).toEqual({ n: 1, port: leader })
    })
    // Which is the session's doing.
    expect(await read(pool)).toMatchObject({ n: 0 })
    await session(async () => {
      await pool.transaction((client) => client.query(write))
      expect(await read(pool)).toEqual({ n: 2, port: leader })
      await replay('resume', await standbys())
      await poll(async () => (await read(pool)).port !== leader, { what: 'a standby has it' })
      expect((await read(pool)).n).toBe(2)
    })
  })

  it('does not go back in time, nor do the single reads behind it', async () => {
    const [ahead, behind] = (await standbys()) as [Host, Host]
    const primary = await cluster().primary()
    // Nobody goes to the one that is behind who does not have to.
    const weights = new Map([[ahead, 1]])
    const hosts = cluster().hosts.map((host) => ({ host: host.host, port: host.port, weight: weights.get(host) ?? 0 }))
    const pool = open({ hosts, connectionString: cluster().connectionString() })
    await known(pool)
    await replay('pause', [behind])
    await primary.query(write)
    await poll(async () => (await ahead.query<{ n: number }>(text))[0]!.n === 1, { what: 'one standby has it' })
    const single = async (): Promise<Seen> => (await pool.query<Seen>({ text, readOnly: true })).rows[0]!
    await session(async () => {
      expect(await read(pool)).toEqual({ n: 1, port: ahead.port })
      await ahead.kill()
      expect(await read(pool)).toEqual({ n: 1, port: primary.port })
      expect(await single()).toEqual({ n: 1, port: primary.port })
    })
    // Who has seen nothing yet goes to the one that is left.
    expect(await session(() => read(pool))).toEqual({ n: 0, port: behind.port })
    await replay('resume', [behind])
  })
})

describe('a transaction that reads after a position', () => {
  it('begins on the leader while no standby has come so far, and on a standby when one has', async () => {
    const [pool, other] = [open(), open()]
    await known(pool)
    await known(other)
    const leader = (await cluster().primary()).port
    await replay('pause', await standbys())
    await pool.query(write)
    const after = await pool.position()
    const read = (): Promise<Seen> => other.transaction(seen, { readOnly: true, after })
    expect(await read()).toEqual({ n: 1, port: leader })
    expect(await readOnly(() => other.transaction(seen, { after }))).toEqual({ n: 1, port: leader })
    expect(await other.transaction(seen, { readOnly: true, after, isolation: 'serializable' })).toEqual({
      n: 1,
      port: leader,
    })
    expect(await other.transaction(seen, { readOnly: true })).toMatchObject({ n: 0 })
    await replay('resume', await standbys())
    await poll(async () => (await read()).port !== leader, { what: 'a standby has it' })
    expect((await read()).n).toBe(1)
  })

  it('leaves nothing of that to be seen no more by the session that it is in', async () => {
    const [pool, other] = [open(), open()]
    await known(pool)
    const leader = (await cluster().primary()).port
    await replay('pause', await standbys())
    await other.query(write)
    const after = await other.position()
    await session(async () => {
      expect(await pool.transaction(seen, { readOnly: true, after })).toEqual({ n: 1, port: leader })
      expect((await pool.query<Seen>({ text, readOnly: true })).rows).toEqual([{ n: 1, port: leader }])
    })
    await replay('resume', await standbys())
  })

  it('begins there as well where the standby that has come so far takes no more sessions', async () => {
    const [ahead, behind] = (await standbys()) as [Host, Host]
    const primary = await cluster().primary()
    const proxy = await FaultProxy.start(ahead.port)
    onTestFinished(() => proxy.close())
    const hosts = [
      { host: primary.host, port: primary.port },
      { host: ahead.host, port: proxy.port, weight: 1 },
      { host: behind.host, port: behind.port, weight: 0 },
    ]
    const pool = open({ hosts })
    await known(pool)
    await replay('pause', [behind])
    await pool.query(write)
    const after = await pool.position()
    const read = (): Promise<Seen> => pool.transaction(seen, { readOnly: true, after })
    await poll(async () => (await read()).port === ahead.port, { what: 'it has come so far' })
    const client = await pool.readOnly.connect()
    expect(await seen(client)).toEqual({ n: 1, port: ahead.port })
    proxy.refuse()
    expect(await read()).toEqual({ n: 1, port: primary.port })
    client.release()
    await replay('resume', [behind])
  })

  it('waits for a standby that is about to have it', async () => {
    const hosts = await standbys()
    for (const host of hosts) await host.query(`alter system set recovery_min_apply_delay = '200ms'`)
    for (const host of hosts) await host.query('select pg_reload_conf()')
    try {
      const pool = open({ readOnly: { consistencyWaitMillis: 10_000 } })
      await known(pool)
      for (let n = 1; n <= 3; n += 1) {
        await pool.query(write)
        const after = await pool.position()
        const found = await pool.transaction(seen, { readOnly: true, after })
        expect(found.n).toBe(n)
        expect(hosts.map(({ port }) => port)).toContain(found.port)
      }
    } finally {
      for (const host of hosts) await host.query('alter system reset recovery_min_apply_delay')
      for (const host of hosts) await host.query('select pg_reload_conf()')
    }
  })

  it('is run again after the position as well', async () => {
    const pool = open()
    await known(pool)
    const primary = await cluster().primary()
    const leader = primary.port
    await replay('pause', await standbys())
    await pool.query(write)
    const after = await pool.position()
    const found: Seen[] = []
    await pool.transaction(
      async (client) => {
        found.push(await seen(client))
        if (found.length > 1) return
        const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
        await primary.query(`select pg_terminate_backend(${rows[0]!.pid})`)
        await client.query('select 1')
      },
      { readOnly: true, after },
    )
    expect(found).toEqual([
      { n: 1, port: leader },
      { n: 1, port: leader },
    ])
    await replay('resume', await standbys())
  })
})
