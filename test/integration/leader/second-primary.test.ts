import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { isSplitBrainError, isStalePrimaryError } from '../../../src/index'
import { poll, startCluster } from '../../support'
import type { Cluster, Host } from '../../support'
import { keyOf } from '../pool/support/clusters'
import { rejection, usePools } from '../pool/support/pools'
import { StubAuthority } from './support/stub-authority'
import { createTable, idsOn, missingOn, startWriting } from './support/writing'

const makePool = usePools()
let cluster: Cluster

afterEach(() => cluster?.stop())

/** A copy of the primary that is started as a primary itself, as a restored backup is: same identity, same timeline. */
async function startAsPrimary(copy: Host): Promise<void> {
  await copy.stop('fast')
  await rm(join(copy.dataDirectory, 'standby.signal'))
  await copy.start()
}

describe('a copy that is started as a second primary on the same timeline', () => {
  it('gets no write; nor does it when the leader fails, which is waited for', async () => {
    cluster = await startCluster({ hosts: 2 })
    const [leader, copy] = cluster.hosts as [Host, Host]
    await leader.query(createTable)
    const { pool, splitBrains, failovers } = makePool({
      connectionString: cluster.connectionString(),
      monitor: { intervalMillis: 250 },
    })
    const writing = startWriting(pool, 'w')
    await writing.everybodyServed()
    await startAsPrimary(copy)
    const inherited = await idsOn(copy)
    await poll(() => splitBrains.length > 0, { what: 'the split brain is told' })
    expect(splitBrains[0]).toEqual({ hosts: [keyOf(leader), keyOf(copy)], leader: keyOf(leader) })
    const both = [keyOf(leader), keyOf(copy)]

    // A pool that starts now has nobody to stay with. Where nobody listens for it, the process is warned.
    const warned = new Promise<Error & { code?: string }>((resolve) => process.once('warning', resolve))
    const late = makePool({ connectionString: cluster.connectionString(), failoverTimeoutMillis: 300 })
    late.pool.removeAllListeners('splitBrain')
    const error = await rejection(late.pool.query('select 1'))
    expect(await warned).toMatchObject({
      code: 'PG_LEADER_SPLIT_BRAIN',
      message: expect.stringContaining('all claim the lead'),
    })
    expect(isSplitBrainError(error.cause) && error.cause.hosts).toEqual(both)
    expect(error.cause).toMatchObject({ name: 'SplitBrainError', code: 'SPLIT_BRAIN' })

    // Both have answered since, and so they are known to be two.
    await poll(() => pool.topology.hosts.every(({ lsn }) => lsn !== undefined), { what: 'both have answered' })
    await writing.everybodyServed()
    await new Promise((resolve) => setTimeout(resolve, 2 * 250))
    await leader.kill()
    await poll(() => pool.waitingCount === 3 && pool.topology.leader === undefined, { what: 'every writer is held' })
    // A leader that is in doubt has not failed yet: its own answer decides.
    const isPassedOver = (): boolean => pool.topology.hosts[1]?.reason?.includes('does not have its history') === true
    await poll(isPassedOver, { what: 'the leader has failed, and the other one does not inherit' })
    await leader.start()
    await writing.everybodyServed()
    await writing.stop()
    expect(await idsOn(copy)).toEqual(inherited)
    expect(await missingOn(leader, writing)).toEqual([])
    await poll(() => failovers.length > 0, { what: 'the restart is told' })
    expect(failovers).toMatchObject([{ from: keyOf(leader), to: keyOf(leader), toTimeline: 1 }])
  })

  it('an authority breaks the tie', async () => {
    cluster = await startCluster({ hosts: 2 })
    const [leader, copy] = cluster.hosts as [Host, Host]
    await leader.query(createTable)
    await cluster.waitForReplication()
    await startAsPrimary(copy)
    const authority = new StubAuthority().names(copy)
    const { pool } = makePool({ connectionString: cluster.connectionString(), authority })
    await pool.query(`insert into written values ('there')`)
    expect(await idsOn(copy)).toEqual(['there'])
    expect(await idsOn(leader)).toEqual([])
  })
})

describe('what a refused caller is told', () => {
  it('StalePrimaryError: the only primary that answers is on a timeline that history has left', async () => {
    cluster = await startCluster({ hosts: 2 })
    const [old, next] = cluster.hosts as [Host, Host]
    await cluster.promote(next)
    const { pool } = makePool({ connectionString: cluster.connectionString(), failoverTimeoutMillis: 400 })
    await pool.query('select 1')
    await poll(() => pool.topology.hosts[0]?.role === 'stale', { what: 'the old one is known' })
    await next.kill()
    await poll(() => pool.topology.leader === undefined, { what: 'the loss is noticed' })
    const error = await rejection(pool.query('select 1'))
    expect(error.name).toBe('HostSelectionTimeoutError')
    expect(isStalePrimaryError(error.cause) && error.cause).toMatchObject({
      host: keyOf(old),
      timeline: 1,
      clusterTimeline: 2,
    })
  })
})
