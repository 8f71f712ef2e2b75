import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { poll, startCluster } from '../../support'
import type { Cluster, Host } from '../../support'
import { keyOf, useCluster } from './support/clusters'
import { rejection, usePools } from './support/pools'
import type { PoolConfig } from '../../../src/index'
import type { Watched } from './support/pools'

const cluster = useCluster({ hosts: 2 })
const makePool = usePools()
let foreign: Cluster

beforeAll(async () => {
  foreign = await startCluster({ hosts: 1 })
})
afterAll(() => foreign?.stop())

const pooled = (hosts: PoolConfig['hosts'], config: PoolConfig = {}): Watched => {
  const { user, password, database } = cluster()
  return makePool({ user, password, database, hosts, ...config })
}
const at = ({ host, port }: Host): { host: string; port: number } => ({ host, port })
const portOf = async ({ pool }: Watched): Promise<number> =>
  (await pool.query<{ port: number }>(`select current_setting('port')::int as port`)).rows[0]!.port
const hostOf = ({ pool }: Watched, host: Host) => pool.topology.hosts.find(({ host: key }) => key === keyOf(host))

describe('hosts that do not do', () => {
  it('a foreign cluster in the list is not used, also when its host is the first to answer', async () => {
    const [leader, standby] = cluster().hosts
    const watched = pooled([at(leader!), at(foreign.hosts[0]!), at(standby!)])
    expect(await portOf(watched)).toBe(leader!.port)
    await poll(() => hostOf(watched, foreign.hosts[0]!)?.role === 'foreign', { what: 'it is known as foreign' })
    expect(hostOf(watched, foreign.hosts[0]!)?.reason).toMatch(/belongs to another cluster/)
    expect(watched.splitBrains).toEqual([])
  })

  it('a foreign cluster does not take over while the leader is away', async () => {
    const [leader, standby] = cluster().hosts
    const watched = pooled([at(leader!), at(foreign.hosts[0]!), at(standby!)])
    await portOf(watched)
    await leader!.kill()
    await poll(() => watched.pool.topology.leader === undefined, { what: 'the loss is noticed' })
    const call = portOf(watched)
    await poll(() => hostOf(watched, leader!)?.reason?.includes('ECONNREFUSED'), { what: 'a round of probes' })
    expect(watched.pool.topology.leader).toBeUndefined()
    await leader!.start()
    expect(await call).toBe(leader!.port)
  })

  it('one host that is dead from the start, and a name that does not resolve, slow nothing down', async () => {
    const [leader] = cluster().hosts
    const watched = pooled([{ host: 'no-such-host.invalid', port: 5432 }, { host: '127.0.0.1', port: 1 }, at(leader!)])
    expect(await portOf(watched)).toBe(leader!.port)
    expect(watched.pool.topology.hosts[1]).toMatchObject({ role: 'unknown' })
    expect(watched.pool.topology.hosts[1]?.reason).toContain('ECONNREFUSED')
  })

  it('one server under two names is one server', async () => {
    const [leader] = cluster().hosts
    const watched = pooled([{ host: 'localhost', port: leader!.port }, at(leader!)])
    expect(await portOf(watched)).toBe(leader!.port)
    await poll(() => watched.pool.topology.hosts.every(({ timeline }) => timeline !== undefined), {
      what: 'both names have answered',
    })
    expect(watched.splitBrains).toEqual([])
    expect(watched.pool.topology.splitBrain).toEqual([])
    expect(watched.pool.topology.generation).toBe(1)
  })

  it('a primary that is read-only by default does not lead', async () => {
    const { host, port } = foreign.hosts[0]!
    await foreign.hosts[0]!.query('alter system set default_transaction_read_only = on')
    await foreign.hosts[0]!.query('select pg_reload_conf()')
    const watched = pooled(
      [
        { host, port },
        { host: '127.0.0.1', port: 1 },
      ],
      { failoverTimeoutMillis: 300 },
    )
    const error = await rejection(portOf(watched))
    expect(error.message).toContain('is read-only (default_transaction_read_only is on)')
    await foreign.hosts[0]!.query('alter system reset default_transaction_read_only')
    await foreign.hosts[0]!.query('select pg_reload_conf()')
    expect(await portOf(watched)).toBe(port)
  })

  it('a host that is frozen from the start does not hold up the first caller', async () => {
    const [leader, standby] = cluster().hosts
    await standby!.freeze()
    try {
      const watched = pooled([at(standby!), at(leader!)], {
        monitor: { timeoutMillis: 600_000 },
        failoverTimeoutMillis: 25_000,
      })
      expect(await portOf(watched)).toBe(leader!.port)
      expect(hostOf(watched, standby!)).toMatchObject({ role: 'unknown', reason: 'has not answered yet' })
    } finally {
      await standby!.thaw()
    }
  })
})

describe('what is about the caller', () => {
  const everywhere = (): PoolConfig['hosts'] => cluster().hosts.map(at)

  it.each([
    { what: 'a wrong password', config: { password: 'wrong' }, code: '28P01' },
    { what: 'an unknown user', config: { user: 'nobody_here' }, code: '28P01' },
    { what: 'an unknown database', config: { database: 'nowhere' }, code: '3D000' },
  ])('$what is told at once, in the server’s own error', async ({ config, code }) => {
    const { pool } = pooled(everywhere(), { failoverTimeoutMillis: 600_000, ...config })
    const error = await rejection(pool.query('select 1'))
    expect(error).toMatchObject({ code, severity: 'FATAL' })
    expect(error.message).not.toContain('wrong')
    expect(await rejection(pool.connect())).toMatchObject({ code })
    expect(pool.waitingCount).toBe(0)
  })

  it('a password function that throws is told at once', async () => {
    const mine = new Error('the vault is closed')
    const { pool } = pooled(everywhere(), {
      failoverTimeoutMillis: 600_000,
      password: () => {
        throw mine
      },
    })
    expect((await rejection(pool.query('select 1'))).message).toContain('the vault is closed')
  })

  it('a password that was changed meanwhile is used by the next call', async () => {
    let password = 'wrong'
    const { pool } = pooled(everywhere(), { failoverTimeoutMillis: 600_000, password: () => password })
    expect(await rejection(pool.query('select 1'))).toMatchObject({ code: '28P01' })
    password = cluster().password
    expect((await pool.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  it('a full server is waited for', async () => {
    const { host, port } = foreign.hosts[0]!
    await foreign.hosts[0]!.query(`create role few login password 'few' connection limit 2`)
    const { database } = foreign
    // One place for the monitor, one for a client.
    const watched = makePool({
      hosts: [{ host, port }],
      user: 'few',
      password: 'few',
      database,
      failoverTimeoutMillis: 20_000,
    })
    const first = await watched.pool.connect()
    const second = watched.pool.query<{ one: number }>('select 1 as one')
    await new Promise((resolve) => setTimeout(resolve, 200))
    first.release()
    expect((await second).rows).toEqual([{ one: 1 }])
    expect(watched.pool.topology.generation).toBe(1)
  })
})
