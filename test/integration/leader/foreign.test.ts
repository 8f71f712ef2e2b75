import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isForeignClusterError, outcomeTable } from '../../../src/index'
import { FaultProxy, poll, startCluster } from '../../support'
import type { Cluster, Host } from '../../support'
import { useCluster } from '../pool/support/clusters'
import { rejection, usePools } from '../pool/support/pools'
import type { Watched } from '../pool/support/pools'
import { createTable, idsOn, missingOn, startWriting } from './support/writing'

const cluster = useCluster({ hosts: 2 })
const makePool = usePools()
let stranger: Host
let foreign: Cluster

beforeAll(async () => {
  foreign = await startCluster({ hosts: 1 })
  stranger = foreign.hosts[0]!
  for (const host of [stranger, cluster().hosts[0]!]) await host.query(createTable)
})
afterAll(() => foreign?.stop())

const pooled = (hosts: readonly number[], more: object = {}): Watched => {
  const { user, password, database } = cluster()
  const list = hosts.map((port) => ({ host: '127.0.0.1', port }))
  return makePool({ hosts: list, user, password, database, monitor: { intervalMillis: 250 }, ...more })
}

describe('a foreign cluster in the list', () => {
  it('gets no write while the leader is away, and whoever is refused is told of it', async () => {
    const [leader, standby] = cluster().hosts as [Host, Host]
    const ports = [stranger.port, leader.port, standby.port]
    const { pool } = pooled(ports)
    const hasty = pooled(ports, { failoverTimeoutMillis: 500 })
    await hasty.pool.query('select 1')
    const writing = startWriting(pool, 'w')
    await writing.everybodyServed()
    await leader.kill()
    await poll(() => [pool, hasty.pool].every(({ topology }) => topology.leader === undefined), { what: 'the loss' })
    const error = await rejection(hasty.pool.query(`insert into written values ('astray')`))
    expect(isForeignClusterError(error.cause) && error.cause).toMatchObject({
      name: 'ForeignClusterError',
      host: `127.0.0.1:${stranger.port}`,
    })
    await leader.start()
    await writing.everybodyServed()
    await writing.stop()
    expect(await idsOn(stranger)).toEqual([])
    expect(await missingOn(leader, writing)).toEqual([])
  })

  it('is followed, with a warning, when it has been all that answers for a whole failover time, as after an upgrade', async () => {
    const [leader] = cluster().hosts as [Host]
    const proxy = await FaultProxy.start(leader.port)
    const { pool } = pooled([proxy.port], { targetSessionAttrs: 'read-write', failoverTimeoutMillis: 800 })
    await pool.query('select 1')
    const { systemIdentifier } = pool.topology.hosts[0]!
    const warned = new Promise<Error & { code?: string }>((resolve) => process.once('warning', resolve))
    proxy.moveTo(stranger.port)
    proxy.silence()
    expect((await warned).code).toBe('PG_LEADER_HISTORY_REPLACED')
    await pool.query('select 1')
    expect(pool.topology.hosts[0]).toMatchObject({ role: 'leader' })
    expect(pool.topology.hosts[0]?.systemIdentifier).not.toBe(systemIdentifier)
    await pool.end()
    await proxy.close()
  })

  it('is followed at once after topology.reset()', async () => {
    const [leader] = cluster().hosts as [Host]
    const proxy = await FaultProxy.start(leader.port)
    const { pool } = pooled([proxy.port], { targetSessionAttrs: 'read-write' })
    await pool.query('select 1')
    proxy.moveTo(stranger.port)
    proxy.silence()
    await poll(() => pool.topology.hosts[0]?.role === 'foreign', { what: 'the other cluster is seen' })
    pool.topology.reset()
    await pool.query('select 1')
    expect(pool.topology).toMatchObject({ generation: 2 })
    await pool.end()
    await proxy.close()
  })

  it('is not believed of what was in flight when another one was followed, whatever it has not got', async () => {
    const [leader] = cluster().hosts as [Host]
    for (const host of [leader, stranger]) await host.query(outcomeTable('markers'))
    const proxy = await FaultProxy.start(leader.port)
    const { pool } = pooled([proxy.port], { targetSessionAttrs: 'read-write', outcome: { table: 'markers' } })
    await pool.query('select 1')
    let calls = 0
    const failed = rejection(
      pool.transaction(async (client) => {
        calls += 1
        await client.query(`insert into written values ('in flight')`)
        proxy.moveTo(stranger.port)
        proxy.cutAfter('down', 0)
      }),
    )
    await poll(() => pool.topology.leader === undefined, { what: 'it is lost', intervalMillis: 1 })
    proxy.heal()
    await poll(() => pool.topology.hosts[0]?.role === 'foreign', { what: 'the other cluster is seen' })
    pool.topology.reset()
    const error = await failed
    expect(error).toMatchObject({ name: 'OutcomeUnknownError' })
    expect(error.message).toContain('another history is followed now')
    expect(calls).toBe(1)
    expect(await idsOn(stranger)).toEqual([])
    await pool.end()
    await proxy.close()
  })
})
