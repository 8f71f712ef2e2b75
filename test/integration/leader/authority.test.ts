import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FaultProxy, poll, startCluster } from '../../support'
import type { Cluster, Host } from '../../support'
import { keyOf } from '../pool/support/clusters'
import { rejection, usePools } from '../pool/support/pools'
import { StubAuthority } from './support/stub-authority'
import { createTable, idsOn, missingOn, startWriting } from './support/writing'

const makePool = usePools()
let cluster: Cluster
let old: Host
let next: Host

async function start(): Promise<void> {
  cluster = await startCluster({ hosts: 2 })
  ;[old, next] = cluster.hosts as [Host, Host]
  await old.query(createTable)
}
const stop = (): Promise<void> => cluster?.stop()

const pooled = (authority: StubAuthority, more: object = {}) =>
  makePool({ connectionString: cluster.connectionString(), monitor: { intervalMillis: 250 }, authority, ...more })

describe('a leader that the authority does not confirm', () => {
  beforeAll(start)
  afterAll(stop)

  it.each([
    {
      what: 'it fails',
      authority: () => new StubAuthority().fails('connection refused'),
      why: /does not confirm.*: connection refused/,
    },
    { what: 'it is silent', authority: () => new StubAuthority().isSilent(), why: /did not answer within 100 ms/ },
    { what: 'it names nobody', authority: () => new StubAuthority(), why: /says that nobody leads/ },
    {
      what: 'it names a stranger',
      authority: () => new StubAuthority().names({ host: '10.1.2.3', port: 5432 }),
      why: /says that 10.1.2.3:5432 leads, which is not on the list/,
    },
    {
      what: 'it answers nonsense',
      authority: () => new StubAuthority().names({ host: '127.0.0.1', port: 5432 }, NaN),
      why: /without host, port or leaseMillis/,
    },
  ])('is not written to, and the error says so: $what', async ({ what, authority, why }) => {
    const stub = authority()
    const { pool } = pooled(stub, { failoverTimeoutMillis: 400, monitor: { timeoutMillis: 100 } })
    const error = await rejection(pool.query(`insert into written values ('never')`))
    expect(error.name).toBe('HostSelectionTimeoutError')
    expect(error.message).toMatch(why)
    expect(error.message).toContain('the stub')
    expect(stub.asked).toBeGreaterThan(1)
    expect(stub.aborted > 0).toBe(what === 'it is silent')
    expect(await idsOn(old)).toEqual([])
  })

  it('is left when its lease is over: a client that is held is cut, and nothing is acknowledged until it is confirmed again', async () => {
    const authority = new StubAuthority().names(old, 300)
    const { pool, failovers } = pooled(authority)
    const writing = startWriting(pool, 'w')
    await writing.everybodyServed()
    // Several leases long: it is asked in time.
    await poll(() => authority.asked > 5, { what: 'the lease is renewed' })
    expect(failovers).toEqual([])
    const client = await pool.connect()
    const cut = new Promise((resolve) => client.once('end', resolve))
    authority.fails('no route')
    await cut
    client.release()
    const before = writing.acknowledged.length
    await poll(() => pool.waitingCount === 3, { what: 'every writer is held' })
    expect(pool.topology.hosts[0]).toMatchObject({ role: 'primary', reason: expect.stringContaining('no route') })
    expect(writing.acknowledged).toHaveLength(before)
    authority.names(old, 300)
    await writing.everybodyServed()
    await writing.stop()
    expect(await missingOn(old, writing)).toEqual([])
    expect(pool.topology).toMatchObject({ leader: keyOf(old), generation: 1 })
    expect(failovers).toEqual([])
  })
})

describe('an authority knows what the servers do not tell', () => {
  beforeEach(start)
  afterEach(stop)

  it('the old primary lives on and the new one is out of reach: nothing is acknowledged after the lease', async () => {
    const proxy = await FaultProxy.start(1)
    const authority = new StubAuthority().names(old, 500)
    const { user, password, database } = cluster
    const { pool } = makePool({
      hosts: [
        { host: old.host, port: old.port },
        { host: '127.0.0.1', port: proxy.port },
      ],
      ...{ user, password, database, authority },
      monitor: { intervalMillis: 250 },
    })
    const writing = startWriting(pool, 'w')
    await writing.everybodyServed()
    await cluster.promote(next)
    authority.names({ host: '127.0.0.1', port: proxy.port }, 500)
    await poll(() => pool.topology.leader === undefined, { what: 'the old one is not confirmed any more' })
    const leftAt = performance.now()
    proxy.moveTo(next.port)
    await writing.everybodyServed()
    await writing.stop()
    expect(pool.topology.leader).toBe(`127.0.0.1:${proxy.port}`)
    expect((await missingOn(next, writing)).filter(({ at }) => at > leftAt)).toEqual([])
    await pool.end()
    await proxy.close()
  })

  it('the columns are hidden and the old primary lives on: the host that it names is followed', async () => {
    await old.query(`create role hidden login password 'hidden'; grant insert, select on written to hidden;
      revoke execute on function pg_control_system() from public`)
    const authority = new StubAuthority().names(old, 500)
    const { pool } = makePool({
      hosts: cluster.hosts.map(({ host, port }) => ({ host, port })),
      ...{ user: 'hidden', password: 'hidden', database: cluster.database, authority },
      monitor: { intervalMillis: 250 },
    })
    const writing = startWriting(pool, 'w')
    await writing.everybodyServed()
    await cluster.promote(next)
    authority.names(next, 500)
    await poll(() => pool.topology.leader !== keyOf(old), { what: 'the old one is left' })
    const leftAt = performance.now()
    await writing.everybodyServed()
    await writing.stop()
    expect(pool.topology).toMatchObject({ leader: keyOf(next), timeline: undefined })
    expect((await missingOn(next, writing)).filter(({ at }) => at > leftAt)).toEqual([])
  })

  it('a newer timeline that it does not name is not followed; an older one that it names then is, with a warning', async () => {
    const authority = new StubAuthority().names(old, 300)
    const { pool } = pooled(authority)
    const writing = startWriting(pool, 'w')
    await writing.everybodyServed()
    await cluster.promote(next)
    const seen = (role: string): boolean => pool.topology.hosts[1]?.role === role
    await poll(() => seen('primary'), { what: 'the promotion is seen' })
    await writing.everybodyServed()
    await writing.stop()
    expect(await missingOn(old, writing)).toEqual([])
    authority.names(next, 300)
    await poll(() => seen('leader'), { what: 'it is followed when it is named' })
    const warned = new Promise<Error & { code?: string }>((resolve) => process.once('warning', resolve))
    authority.names(old, 300)
    expect((await warned).code).toBe('PG_LEADER_HISTORY_REPLACED')
    await pool.query(`insert into written values ('back')`)
    expect(await idsOn(old)).toContain('back')
    expect(pool.topology).toMatchObject({ leader: keyOf(old), timeline: 1, generation: 3 })
  })
})
