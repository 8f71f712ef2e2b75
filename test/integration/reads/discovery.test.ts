import pg from 'pg'
import { beforeEach, describe, expect, it } from 'vitest'
import { wrap } from '../../../src/index'
import type { HostEntry, Pool, PoolConfig } from '../../../src/index'
import { poll } from '../../support'
import type { Host } from '../../support'
import { aStandby, heal, keyOf, useCluster } from '../pool/support/clusters'
import { usePools } from '../pool/support/pools'
import type { Watched } from '../pool/support/pools'
import { FirstRead, load } from './support/reading'
import { StubDiscovery } from './support/stub-discovery'

const cluster = useCluster()
const makePool = usePools()
let source: StubDiscovery
let tests = 0

beforeEach(async () => {
  tests += 1
  await heal(cluster())
  source = new StubDiscovery().lists(cluster().hosts)
})

/** Its sessions are known on the servers by the name of the test. */
const name = (): string => `discovery ${tests}`

const open = (config: PoolConfig = {}): Watched =>
  makePool({
    connectionString: cluster().connectionString({ application_name: name() }),
    discovery: [source],
    failoverTimeoutMillis: 20_000,
    monitor: { intervalMillis: 100, timeoutMillis: 300 },
    ...config,
  })

const portOf = async (pool: Pool, readOnly = false): Promise<number> => {
  const text = `select current_setting('port')::int as port`
  return (await pool.query<{ port: number }>({ text, readOnly })).rows[0]!.port
}

const listed = (pool: Pool): readonly string[] => pool.topology.hosts.map(({ host }) => host)

/** The sessions of this test's pool on a server, the monitor's among them. */
const pidsOn = async (host: Host): Promise<readonly number[]> => {
  const text = 'select pid from pg_stat_activity where application_name = $1'
  return (await host.query<{ pid: number }>(text, [name()])).map(({ pid }) => pid)
}

const pidsOf = async (hosts: readonly Host[]): Promise<readonly number[]> =>
  (await Promise.all(hosts.map(pidsOn))).flat()

/** All hosts are known, and everybody is read from who may be. */
async function underWay(pool: Pool, reads: { readonly ports: readonly number[] }): Promise<void> {
  await pool.query('select 1')
  const standbys = cluster().hosts.length - 1
  await poll(() => new Set(reads.ports.slice(-100)).size === standbys, { what: 'every standby is read from' })
}

describe('a host that joins', () => {
  it('gets work within one interval of its first answer, and nobody else is disturbed', async () => {
    const others = cluster().hosts
    const { pool } = open({ monitor: { intervalMillis: 1000 } })
    const joined = await cluster().addHost()
    const first = new FirstRead(pool, keyOf(joined))
    const reads = load(pool, (port) => first.answered(port === joined.port))
    await pool.query('select 1')
    await poll(() => new Set(reads.ports.slice(-100)).size === others.length - 1, { what: 'the others are read from' })
    const before = await pidsOf(others)
    source.lists(cluster().hosts)
    await poll(() => first.probes, { what: 'it is read from' })
    expect(first.probes).toBeLessThanOrEqual(2)
    await reads.more(100)
    await reads.stop()
    expect(reads.errors).toEqual([])
    expect(await pidsOf(others)).toEqual(expect.arrayContaining([...before]))
    expect(listed(pool)).toEqual([...others, joined].map(keyOf))
  })

  it('is failed over to, although nobody but the source has named it', async () => {
    const primary = await cluster().primary()
    const next = await aStandby(cluster())
    const { pool, failovers } = open({ connectionString: cluster().connectionStringFor(primary) })
    expect(await portOf(pool)).toBe(primary.port)
    await poll(() => listed(pool).length === cluster().hosts.length, { what: 'they are on the list' })
    await cluster().failover(next)
    expect(await portOf(pool)).toBe(next.port)
    expect(pool.topology.leader).toBe(keyOf(next))
    await poll(() => failovers.length === 1, { what: 'the failover is told of' })
  })

  it('may be the leader, while none of the hosts given leads', async () => {
    const primary = await cluster().primary()
    const given = await aStandby(cluster())
    const { pool } = open({ connectionString: cluster().connectionStringFor(given) })
    expect(await portOf(pool)).toBe(primary.port)
  })

  it('does not take the place of a leader that it is another name for', async () => {
    const primary = await cluster().primary()
    const { pool, splitBrains } = open()
    const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid')
    source.lists([{ host: 'localhost', port: primary.port }, ...cluster().hosts.filter((host) => host !== primary)])
    await poll(() => listed(pool).includes(`localhost:${primary.port}`), { what: 'the other name is on the list' })
    const asked = source.asked
    await poll(() => source.asked > asked + 3, { what: 'time goes by' })
    expect(pool.topology.leader).toBe(keyOf(primary))
    expect((await pool.query('select pg_backend_pid() as pid')).rows).toEqual(rows)
    expect(splitBrains).toEqual([])
  })
})

describe('a host that leaves', () => {
  it('finishes what runs there, gets nothing new and loses its sessions, and nobody else is disturbed', async () => {
    const { pool } = open()
    const leaving = await aStandby(cluster())
    const others = cluster().hosts.filter((host) => host !== leaving)
    const reads = load(pool)
    await underWay(pool, reads)
    const slow = { text: `select current_setting('port')::int as port, pg_sleep(2)`, readOnly: true }
    const long = Promise.all(Array.from({ length: 12 }, () => pool.query<{ port: number }>(slow)))
    const sleepers = `select from pg_stat_activity where application_name = $1 and wait_event = 'PgSleep'`
    await poll(async () => (await leaving.query(sleepers, [name()])).length > 1, { what: 'some of them run there' })
    const before = await pidsOf(others)
    source.lists(others)
    await poll(() => listed(pool).length === others.length, { what: 'it is off the list' })
    expect((await leaving.query(sleepers, [name()])).length).toBeGreaterThan(1)
    await reads.more(50)
    const since = reads.ports.length
    // It waits until the last session has ended by itself.
    await leaving.stop('smart')
    expect((await long).map(({ rows }) => rows[0]!.port)).toContain(leaving.port)
    await reads.more(100)
    await reads.stop()
    expect(reads.ports.slice(since)).not.toContain(leaving.port)
    expect(reads.errors).toEqual([])
    expect(await pidsOf(others)).toEqual(expect.arrayContaining([...before]))
  })

  it('comes back as a new one', async () => {
    const { pool } = open()
    const leaving = await aStandby(cluster())
    const reads = load(pool)
    await underWay(pool, reads)
    const before = await pidsOn(leaving)
    source.lists(cluster().hosts.filter((host) => host !== leaving))
    await poll(async () => (await pidsOn(leaving)).length === 0, { what: 'its sessions are gone' })
    source.lists(cluster().hosts)
    await underWay(pool, reads)
    expect((await pidsOn(leaving)).filter((pid) => before.includes(pid))).toEqual([])
    await reads.stop()
    expect(reads.errors).toEqual([])
  })

  it('lets a client that somebody holds go when it is given back', async () => {
    const primary = await cluster().primary()
    const leaving = await aStandby(cluster())
    source.lists([primary, leaving])
    const { pool } = open({ connectionString: cluster().connectionStringFor(primary, { application_name: name() }) })
    await poll(() => portOf(pool, true).then((port) => port === leaving.port), { what: 'it is read from' })
    const client = await pool.readOnly.connect()
    source.lists([primary])
    await poll(() => listed(pool).length === 1, { what: 'it is off the list' })
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    expect(await portOf(pool, true)).toBe(primary.port)
    await poll(async () => (await pidsOn(leaving)).length === 1, { what: 'only that session is left' })
    expect(await pidsOn(leaving)).toEqual([rows[0]!.pid])
    client.release()
    await poll(async () => (await pidsOn(leaving)).length === 0, { what: 'it is gone as well' })
  })

  it('leads on if it is the leader, by the same sessions, until another one does', async () => {
    const primary = await cluster().primary()
    const next = await aStandby(cluster())
    const { pool, failovers } = open()
    const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid')
    source.lists(cluster().hosts.filter((host) => host !== primary))
    const asked = source.asked
    await poll(() => source.asked > asked + 3, { what: 'the source has said so, more than once' })
    expect((await pool.query('select pg_backend_pid() as pid')).rows).toEqual(rows)
    expect(pool.topology.leader).toBe(keyOf(primary))
    await cluster().switchover(next)
    expect(await portOf(pool)).toBe(next.port)
    await poll(() => !listed(pool).includes(keyOf(primary)), { what: 'it is off the list' })
    await poll(async () => (await pidsOn(primary)).length === 0, { what: 'its sessions are gone' })
    await poll(() => failovers.length === 1, { what: 'the failover is told of' })
  })
})

describe('a source', () => {
  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('registry is down')
      },
    ],
    ['is silent', () => new Promise(() => undefined)],
    ['lists nothing', () => []],
    ['says nothing', () => undefined],
    ['talks nonsense', () => [{ host: 'db1', port: 5432 }, 7]],
    ['names a host that cannot be', () => [{ host: 'a,b', port: 70_000 }]],
    [
      'lists what throws when it is looked at',
      () => [
        Object.defineProperty({}, 'host', {
          get: () => {
            throw new Error('boom')
          },
        }),
      ],
    ],
  ])('that %s empties no list: reads and writes go on', async (_what, says) => {
    const { pool, topologies } = open()
    const reads = load(pool)
    await underWay(pool, reads)
    const before = await pidsOf(cluster().hosts)
    topologies.length = 0
    source.says(says)
    const asked = source.asked
    await poll(() => source.asked > asked + 3, { what: 'it is asked and asked again' })
    await pool.query('select pg_current_xact_id()')
    await reads.more(50)
    expect(listed(pool)).toEqual(cluster().hosts.map(keyOf))
    await reads.stop()
    expect(reads.errors).toEqual([])
    expect(topologies).toEqual([])
    expect(await pidsOf(cluster().hosts)).toEqual(expect.arrayContaining([...before]))
    source.lists(
      cluster()
        .hosts.slice(0, -1)
        .concat(await cluster().primary()),
    )
    await poll(() => listed(pool).length < cluster().hosts.length, { what: 'it is believed again' })
  })

  it('that has never answered leaves the hosts given where they are', async () => {
    const silent = new StubDiscovery().says(() => new Promise(() => undefined))
    const primary = await cluster().primary()
    const { pool } = open({ discovery: [source.lists([await aStandby(cluster())]), silent] })
    expect(await portOf(pool)).toBe(primary.port)
    expect(listed(pool)).toEqual(cluster().hosts.map(keyOf))
  })

  it('is asked at once when the leader is lost, and goes on being asked', async () => {
    const primary = await cluster().primary()
    const next = await aStandby(cluster())
    source.lists([primary])
    const { pool } = open({ connectionString: cluster().connectionStringFor(primary), monitor: false })
    expect(await portOf(pool)).toBe(primary.port)
    await poll(() => source.asked > 0 && source.open === 0, { what: 'it has been asked' })
    const { asked } = source
    source.lists([primary, next])
    await cluster().failover(next)
    expect(await portOf(pool)).toBe(next.port)
    expect(source.asked).toBeGreaterThan(asked)
  })

  it('chooses who is read from, by tags and weights, and nobody is connected to anew for that', async () => {
    const primary = await cluster().primary()
    const [one, two] = cluster().hosts.filter((host) => host !== primary) as [Host, Host]
    const say = (ofOne: HostEntry, ofTwo: HostEntry): unknown =>
      source.lists([primary, { ...at(one), ...ofOne }, { ...at(two), ...ofTwo }])
    const at = ({ host, port }: Host): HostEntry => ({ host, port })
    say({ tags: { zone: 'a' } }, { tags: { zone: 'b' } })
    const { pool } = open({ readOnly: { tags: [{ zone: 'a' }] } })
    const reads = load(pool)
    const only = (host: Host): Promise<unknown> =>
      poll(() => reads.ports.length > 100 && reads.ports.slice(-100).every((port) => port === host.port), {
        what: `${host.name} alone is read from`,
      })
    await only(one)
    say({ tags: { zone: 'b' } }, { tags: { zone: 'a' } })
    await only(two)
    const before = await pidsOf([one, two])
    say({ tags: { zone: 'a' } }, { tags: { zone: 'b' } })
    await only(one)
    say({ weight: 0 }, {})
    await only(two)
    say({}, { weight: 0 })
    await only(one)
    await reads.stop()
    expect(reads.errors).toEqual([])
    expect(await pidsOf([one, two])).toEqual(expect.arrayContaining([...before]))
  })

  it('lists the hosts of a pool that is wrapped, and nothing is left of it when that ends', async () => {
    const primary = await cluster().primary()
    const standby = await aStandby(cluster())
    const pool = wrap(new pg.Pool({ connectionString: cluster().connectionStringFor(standby) }), {
      discovery: [source],
      monitor: { intervalMillis: 50 },
    })
    try {
      expect(await portOf(pool)).toBe(primary.port)
    } finally {
      await pool.end()
    }
    const { asked } = source
    const another = new StubDiscovery().lists(cluster().hosts)
    await portOf(open({ discovery: [another], monitor: { intervalMillis: 50 } }).pool)
    await poll(() => another.asked > 4, { what: 'time goes by for a pool that lives' })
    expect(source.asked).toBe(asked)
  })
})
