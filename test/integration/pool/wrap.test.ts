import pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'
import { FaultProxy, poll } from '../../support'
import { Pool, readOnly, session, wrap } from '../../../src/index'
import { aStandby, heal, keyOf, useCluster } from './support/clusters'
import { rejection, watch } from './support/pools'

const cluster = useCluster({ hosts: 2 })
const pools: pg.Pool[] = []

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => (pool.ended ? undefined : pool.end())))
  await heal(cluster())
})

async function plain(config: pg.PoolConfig = {}): Promise<pg.Pool> {
  const { host, port } = await cluster().primary()
  const { user, password, database } = cluster()
  const pool = new pg.Pool({ host, port, user, password, database, ...config })
  pools.push(pool)
  return pool
}

const hosts = (): { host: string; port: number }[] => cluster().hosts.map(({ host, port }) => ({ host, port }))
const portOf = async (pool: pg.Pool): Promise<number> =>
  (await pool.query<{ port: number }>(`select current_setting('port')::int as port`)).rows[0]!.port

describe('wrap', () => {
  it('makes a pool that exists follow the leader, in place', async () => {
    const pool = await plain()
    const { options } = pool
    const held = await pool.connect()
    const wrapped = wrap(pool, { hosts: hosts() })
    expect(wrapped).toBe(pool)
    expect(pool.options).toBe(options)
    const { failovers } = watch(wrapped)
    const next = await aStandby(cluster())
    expect(await portOf(pool)).not.toBe(next.port)
    held.release()
    await cluster().switchover(next)
    expect(await portOf(pool)).toBe(next.port)
    await poll(() => failovers.length > 0, { what: 'the failover is told' })
    expect(failovers).toMatchObject([{ to: keyOf(next) }])
    expect(wrapped.topology.leader).toBe(keyOf(next))
  })

  it('clients that were connected before are used further, and their listeners stay', async () => {
    const pool = await plain()
    const events: string[] = []
    for (const event of ['connect', 'acquire', 'remove'] as const) pool.on(event, () => events.push(event))
    const client = await pool.connect()
    const pid = async (of: pg.PoolClient): Promise<number> =>
      (await of.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid
    const before = await pid(client)
    client.release()
    wrap(pool, { hosts: hosts() })
    const again = await pool.connect()
    expect(again).toBe(client)
    expect(await pid(again)).toBe(before)
    again.release()
    expect(events).toEqual(['connect', 'acquire', 'acquire'])
  })

  it('clients that were connected to another host are replaced', async () => {
    const standby = await aStandby(cluster())
    const primary = await cluster().primary()
    const pool = await plain({ port: standby.port })
    expect(await portOf(pool)).toBe(standby.port)
    wrap(pool, { hosts: hosts() })
    expect(await portOf(pool)).toBe(primary.port)
    expect(pool.totalCount).toBe(1)
  })

  it('a client that was checked out before is cut when another host leads, and not used again', async () => {
    const pool = await plain()
    const client = await pool.connect()
    client.on('error', () => undefined)
    let ended = false
    client.once('end', () => (ended = true))
    try {
      const wrapped = wrap(pool, { hosts: hosts() })
      await pool.query('select 1')
      const next = await aStandby(cluster())
      await cluster().failover(next, { lose: 'freeze' })
      await poll(() => wrapped.topology.leader === keyOf(next), { what: 'the promotion is followed' })
      expect(await portOf(pool)).toBe(next.port)
      client.release()
      expect(await portOf(pool)).toBe(next.port)
      await poll(() => ended, { what: 'the client on the frozen host is cut', timeoutMillis: 5000 })
    } finally {
      await cluster()
        .hosts.find((host) => host.frozen)
        ?.kill()
    }
  })

  it('a client that was connected before and has gone silent since is not waited for', async () => {
    const primary = await cluster().primary()
    const proxy = await FaultProxy.start(primary.port)
    try {
      const pool = await plain({ port: proxy.port })
      await pool.query('select 1')
      proxy.silence()
      wrap(pool, { hosts: [{ host: '127.0.0.1', port: proxy.port }], monitor: { timeoutMillis: 300 } })
      const answer = await Promise.race([
        portOf(pool),
        new Promise((resolve) => setTimeout(resolve, 10_000, 'nothing')),
      ])
      expect(answer).toBe(primary.port)
    } finally {
      await proxy.close()
    }
  })

  it('pause() waits for clients that were checked out before', async () => {
    const pool = await plain()
    const client = await pool.connect()
    const wrapped = wrap(pool, { hosts: hosts() })
    await pool.query('select 1')
    let paused = false
    const pausing = wrapped.pause().then(() => (paused = true))
    await client.query('select 1')
    await client.query('select 1')
    const early = paused
    client.release()
    await pausing
    wrapped.resume()
    expect(early).toBe(false)
  })

  it('callers who waited before are served', async () => {
    const pool = await plain({ max: 1 })
    const client = await pool.connect()
    const waiting = pool.connect()
    wrap(pool, { hosts: hosts() })
    const later = pool.connect()
    client.release()
    ;(await waiting).release()
    ;(await later).release()
  })

  it('password function and Client class stay', async () => {
    class Mine extends pg.Client {
      readonly mine = true
    }
    let asked = 0
    const password = (): string => {
      asked += 1
      return cluster().password
    }
    const pool = await plain({ password, Client: Mine })
    wrap(pool, { hosts: hosts() })
    const client = await pool.connect()
    expect(client).toBeInstanceOf(Mine)
    expect(client).toHaveProperty('mine', true)
    expect(asked).toBeGreaterThan(0)
    client.release()
  })

  it('everything else that a connection string says stays when the hosts are named anew', async () => {
    const { host, port } = await cluster().primary()
    const { user, password, database } = cluster()
    const connectionString =
      `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}` +
      '?application_name=kept&options=-c%20work_mem%3D5MB'
    const pool = new pg.Pool({ connectionString })
    pools.push(pool)
    const said = `select session_user as user, current_database() as database,
      current_setting('application_name') as application, current_setting('work_mem') as memory`
    const before = (await pool.query(said)).rows
    expect(before).toEqual([{ user, database, application: 'kept', memory: '5MB' }])
    const wrapped = wrap(pool, { hosts: hosts() })
    expect((await pool.query(said)).rows).toEqual(before)
    const next = await aStandby(cluster())
    await cluster().switchover(next)
    expect(await portOf(pool)).toBe(next.port)
    expect((await pool.query(said)).rows).toEqual(before)
    expect(wrapped.topology.leader).toBe(keyOf(next))
  })

  it.each([
    ['host', { host: '127.0.0.1' }],
    ['port', { port: 5432 }],
    ['hostaddr', { hostaddr: '127.0.0.1' }],
  ])('%s beside a connection string is refused: the string would win', async (name, options) => {
    const pool = new pg.Pool({ connectionString: cluster().connectionStringFor(await cluster().primary()) })
    pools.push(pool)
    expect(() => wrap(pool, options)).toThrow(new RegExp(`connectionString of this pool wins over ${name}`))
    // It is as it was, and can still be wrapped.
    expect(await portOf(pool)).toBe((await cluster().primary()).port)
    expect(wrap(pool, { hosts: hosts() })).toBe(pool)
  })

  it('holds, pauses and ends', async () => {
    const pool = wrap(await plain(), { hosts: hosts(), failoverTimeoutMillis: 200 })
    await pool.query('select 1')
    await pool.pause()
    expect(await rejection(pool.query('select 1'))).toMatchObject({ name: 'HostSelectionTimeoutError' })
    pool.resume()
    await pool.query('select 1')
    await pool.end()
    expect(pool).toMatchObject({ ended: true, totalCount: 0 })
    expect((await rejection(pool.query('select 1'))).message).toBe('Cannot use a pool after calling end on the pool')
  })

  it('reads from the standbys what is marked, by readOnly, and in sessions what they have written', async () => {
    const pool = await plain({ max: 3 })
    const standby = await aStandby(cluster())
    const wrapped = wrap(pool, { hosts: hosts(), readOnly: { max: 1, consistencyWaitMillis: 0 } })
    await wrapped.query('drop table if exists written; create table written (n int)')
    await cluster().waitForReplication()
    await poll(() => wrapped.topology.hosts.some(({ role }) => role === 'standby'), { what: 'the standby is known' })
    const text = `select current_setting('port')::int as port, (select count(*)::int from written) as n`
    type Row = { port: number; n: number }
    const marked = async (): Promise<Row> => (await wrapped.query<Row>({ text, readOnly: true })).rows[0]!
    const there = { port: standby.port, n: 0 }
    expect(await marked()).toEqual(there)
    expect((await pool.query<Row>(`/* pg-leader: read-only */ ${text}`)).rows).toEqual([there])
    expect(await readOnly(async () => (await pool.query<Row>(text)).rows)).toEqual([there])
    expect(
      await wrapped.transaction(async (client) => (await client.query<Row>(text)).rows, { readOnly: true }),
    ).toEqual([there])
    expect(wrapped.readOnly).toBeInstanceOf(pg.Pool)
    const reads = await Promise.all(Array.from({ length: 9 }, () => wrapped.readOnly.query<Row>(text)))
    expect(reads.map(({ rows }) => rows[0])).toEqual(Array.from({ length: 9 }, () => there))
    // The option is heard: one client to each host that is read from.
    expect(wrapped.readOnly.totalCount).toBe(1)
    expect(await rejection(wrapped.readOnly.query('insert into written values (1)'))).toMatchObject({ code: '25006' })
    await standby.query('select pg_wal_replay_pause()')
    await session(async () => {
      await pool.query('insert into written values (1)')
      expect(await marked()).toEqual({ port: (await cluster().primary()).port, n: 1 })
    })
    expect(await marked()).toEqual(there)
    const after = await wrapped.position()
    expect((await wrapped.query<Row>({ text, after })).rows[0]!.n).toBe(1)
    await standby.query('select pg_wal_replay_resume()')
    await pool.end()
    expect(wrapped.readOnly).toMatchObject({ ended: true, totalCount: 0 })
  })

  it('with consistency: eventual a session is nothing special', async () => {
    const wrapped = wrap(await plain(), { hosts: hosts(), consistency: 'eventual' })
    const standby = await aStandby(cluster())
    await wrapped.query('drop table if exists written; create table written (n int)')
    await cluster().waitForReplication()
    await poll(() => wrapped.topology.hosts.some(({ role }) => role === 'standby'), { what: 'the standby is known' })
    await standby.query('select pg_wal_replay_pause()')
    await session(async () => {
      await wrapped.query('insert into written values (1)')
      expect((await wrapped.query({ text: 'select n from written', readOnly: true })).rows).toEqual([])
    })
    await standby.query('select pg_wal_replay_resume()')
  })

  it('refuses options of reads that are none', async () => {
    const pool = await plain()
    expect(() => wrap(pool, { hosts: hosts(), readOnly: { max: 0 } })).toThrow(/readOnly\.max must be/)
    expect(() => wrap(pool, { hosts: hosts(), consistency: 'strong' as never })).toThrow(/consistency must be/)
    // It is as it was, and can still be wrapped.
    expect(wrap(pool, { hosts: hosts(), readOnly: {} })).toBe(pool)
  })

  it('refuses what cannot be wrapped', async () => {
    const pool = await plain()
    expect(() => wrap(pool, {})).toThrow(/one host/)
    wrap(pool, { hosts: hosts() })
    expect(() => wrap(pool, { hosts: hosts() })).toThrow(/already/)
    const ours = new Pool({ connectionString: cluster().connectionString() })
    pools.push(ours)
    expect(() => wrap(ours, { hosts: hosts() })).toThrow(/already/)
    const ended = await plain()
    await ended.end()
    expect(() => wrap(ended, { hosts: hosts() })).toThrow(/ended/)
  })
})

describe('what others do to pools', () => {
  it('a subclass that overrides connect is asked for every client, also by query', async () => {
    let asked = 0
    class Counting extends (Pool as unknown as typeof pg.Pool) {
      override connect(...args: unknown[]): never {
        asked += 1
        return Reflect.apply(super.connect.bind(this) as (...given: unknown[]) => never, undefined, args)
      }
    }
    const pool = new Counting({ connectionString: cluster().connectionString() })
    pools.push(pool)
    await pool.query('select 1')
    const client: pg.PoolClient = await (pool as pg.Pool).connect()
    client.release()
    expect(asked).toBe(2)
  })

  it('a patch of pg.Pool.prototype sees every query and connect, made before or after the pool', async () => {
    const seen: string[] = []
    const prototype = pg.Pool.prototype as unknown as Record<'query' | 'connect', (...args: unknown[]) => unknown>
    const { query, connect } = prototype
    const before = new Pool({ connectionString: cluster().connectionString() })
    pools.push(before)
    prototype.query = function (this: unknown, ...args) {
      seen.push('query')
      return Reflect.apply(query, this, args)
    }
    prototype.connect = function (this: unknown, ...args) {
      seen.push('connect')
      return Reflect.apply(connect, this, args)
    }
    try {
      const after = new Pool({ connectionString: cluster().connectionString() })
      pools.push(after)
      await before.query('select 1')
      expect(seen).toEqual(['query', 'connect'])
      await after.query('select 1')
      expect(seen).toEqual(['query', 'connect', 'query', 'connect'])
    } finally {
      Object.assign(prototype, { query, connect })
    }
  })
})
