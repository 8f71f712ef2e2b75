import { afterEach, describe, expect, it } from 'vitest'
import { poll, Pooler, startCluster } from '../../support'
import type { Cluster, ClusterOptions, Host, PoolerOptions } from '../../support'
import { keyOf } from '../pool/support/clusters'
import { usePools } from '../pool/support/pools'
import type { Watched } from '../pool/support/pools'
import { chronicle } from './support/chronicle'
import { createTable, idsOn, missingOn, startWriting } from './support/writing'
import type { Writing } from './support/writing'

const intervalMillis = 250
const writers = 3
const makePool = usePools()
let cluster: Cluster
let pooler: Pooler

afterEach(async () => {
  await pooler.close()
  await cluster.stop()
})

interface Scene extends Watched {
  readonly old: Host
  readonly next: Host
  readonly writing: Writing
}

interface Given extends ClusterOptions {
  /** As whom the pooler signs in. */
  readonly role?: PoolerOptions
  /** What the old primary is told before. */
  readonly setUp?: string
  /** The next primary is on the pool's list, beside the pooler. */
  readonly beside?: boolean
}

/** Writers behind a pooler in front of the first of two hosts. */
async function begin({ role = {}, setUp = '', beside = false, ...options }: Given = {}): Promise<Scene> {
  cluster = await startCluster({ hosts: 2, ...options })
  const [old, next] = cluster.hosts as [Host, Host]
  await old.query(`${createTable}; ${setUp}`)
  pooler = await Pooler.start(cluster, old, { size: 4, ...role })
  const { user, password, database } = cluster
  const watched = makePool({
    hosts: [{ host: '127.0.0.1', port: pooler.port }, ...(beside ? [{ host: next.host, port: next.port }] : [])],
    targetSessionAttrs: 'read-write',
    user,
    password,
    database,
    monitor: { intervalMillis, timeoutMillis: 500 },
  })
  const writing = startWriting(watched.pool, 'w', writers)
  await writing.everybodyServed()
  return { ...watched, old, next, writing }
}

describe('behind a pooler', () => {
  const role = { user: 'hidden', password: 'hidden' }
  const hide = `create role hidden login password 'hidden'; grant insert, select on written to hidden;
    revoke execute on function pg_control_system() from public; revoke execute on function pg_walfile_name(pg_lsn) from public`

  it.each([
    ['one that shows identity and timeline', {}],
    ['one that hides them', { role, setUp: hide }],
  ])(
    'the leader changes, with synchronous replication: nothing that was acknowledged is lost: %s',
    async (_what, given) => {
      const { old, next, pool, writing } = await begin({ ...given, synchronousStandbyNames: '*' })
      await next.query(`alter system set synchronous_standby_names = ''`)
      await next.query('select pg_reload_conf()')
      await old.kill()
      await cluster.promote(next)
      pooler.switchTo(next)
      await writing.everybodyServed()
      await writing.stop()
      expect(await missingOn(next, writing)).toEqual([])
      expect(pooler.serverPorts.every((port) => port === next.port)).toBe(true)
      expect(pool.topology.hosts[0]?.timeline).toBe('role' in given ? undefined : 2)
    },
  )

  it('the old primary lives on, and is found out by the new one beside it', async () => {
    const { old, next, pool, writing } = await begin({ beside: true })
    const events = chronicle(pool)
    await cluster.promote(next)
    const writableAt = performance.now()
    await poll(() => pool.topology.leader === keyOf(next), { what: 'the new leader is followed' })
    await writing.everybodyServed()
    await writing.stop()
    events.stop()
    const followed = events.told.find(({ topology }) => topology.leader === keyOf(next))!
    const lost = await missingOn(next, writing)
    const latest = events.latest(writableAt, intervalMillis, next, 'primary', followed)
    expect(lost.filter(({ at }) => at > followed.at)).toEqual([])
    expect(lost.filter(({ at }) => at > latest)).toEqual([])
    // The danger was real: the pooler goes there to this hour.
    await old.query(`insert into written values ('stray')`)
    expect(pool.topology.hosts[0]).toMatchObject({ role: 'stale' })
  })

  it('the old primary lives on, and nobody can know until the pooler is switched', async () => {
    const { old, next, pool, writing } = await begin()
    await cluster.promote(next)
    const promotedAt = performance.now()
    await writing.everybodyServed()
    pooler.switchTo(next)
    const switchedAt = performance.now()
    await poll(() => pool.topology.hosts[0]?.timeline === 2, { what: 'the new leader is known' })
    await writing.everybodyServed()
    await writing.stop()
    const lost = await missingOn(next, writing)
    const onOld = new Set(await idsOn(old))
    expect(lost.filter(({ id }) => !onOld.has(id))).toEqual([])
    expect(lost.filter(({ at }) => at > promotedAt).length).toBeGreaterThan(0)
    // What was under way is let finish.
    expect(lost.filter(({ at }) => at > switchedAt).length).toBeLessThanOrEqual(writers)
  })

  it('two primaries are lent in turn: what is acknowledged is on one of them, and the pool is not locked out', async () => {
    const { old, next, pool, writing } = await begin()
    await cluster.promote(next)
    pooler.switchTo(next, { old: 'stays' })
    await old.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where backend_type = 'client backend' and pid <> pg_backend_pid() order by pid limit 2`)
    await poll(() => pool.topology.hosts[0]?.timeline === 2, { what: 'the new timeline is seen', intervalMillis: 1 })
    await writing.everybodyServed()
    await pool.pause()
    const onOld = new Set(await idsOn(old))
    await old.kill()
    pool.resume()
    await writing.everybodyServed()
    await writing.stop()
    const lost = await missingOn(next, writing)
    console.log(`${lost.length} of ${writing.acknowledged.length} acknowledged by a server that history had left`)
    expect(lost.filter(({ id }) => !onOld.has(id))).toEqual([])
    expect(writing.failed.filter(({ name }) => name !== 'OutcomeUnknownError')).toEqual([])
  })
})
