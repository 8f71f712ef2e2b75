import { afterEach, describe, expect, it } from 'vitest'
import { poll, startCluster } from '../../support'
import type { Cluster, ClusterOptions, Host } from '../../support'
import { keyOf } from '../pool/support/clusters'
import { usePools } from '../pool/support/pools'
import type { Watched } from '../pool/support/pools'
import { chronicle } from './support/chronicle'
import type { Chronicle } from './support/chronicle'
import { createTable, idsOn, missingOn, startWriting } from './support/writing'
import type { Writing } from './support/writing'

const intervalMillis = 250
const makePool = usePools()
let cluster: Cluster

afterEach(() => cluster?.stop())

interface Scene extends Watched {
  readonly old: Host
  readonly next: Host
  readonly writing: Writing
  readonly events: Chronicle
}

/** Two hosts, writers, and a pool that asks four times a second. */
async function begin(options: ClusterOptions = {}, parameters: Readonly<Record<string, string>> = {}): Promise<Scene> {
  cluster = await startCluster({ hosts: 2, ...options })
  const [old, next] = cluster.hosts as [Host, Host]
  await old.query(createTable)
  const watched = makePool({
    connectionString: cluster.connectionString(parameters),
    monitor: { intervalMillis, timeoutMillis: 500 },
  })
  const events = chronicle(watched.pool)
  const writing = startWriting(watched.pool, 'w')
  await writing.everybodyServed()
  return { ...watched, old, next, writing, events }
}

/** When it leads it has no standby that it could wait for. */
async function waitForNobody(host: Host): Promise<void> {
  await host.query(`alter system set synchronous_standby_names = ''`)
  await host.query('select pg_reload_conf()')
}

/** The writers are served by the new leader, and stop. */
async function end({ pool, next, writing, events }: Scene): Promise<void> {
  await poll(() => pool.topology.leader === keyOf(next), { what: 'the new leader is followed' })
  await writing.everybodyServed()
  await writing.stop()
  events.stop()
}

/** What survives is the history of `next`; of what it lacks nothing was acknowledged after the pool could know better. */
async function expectBounded(scene: Scene, writableAt: number): Promise<void> {
  const { next, events, writing } = scene
  const followed = events.told.find(({ topology }) => topology.leader === keyOf(next))!
  const lost = await missingOn(next, writing)
  const latest = events.latest(writableAt, intervalMillis, next, 'primary', followed)
  expect(lost.filter(({ at }) => at > followed.at)).toEqual([])
  expect(lost.filter(({ at }) => at > latest)).toEqual([])
}

describe('after a promotion the old primary lives on', () => {
  it('as if nothing had happened: nothing is acknowledged there once the monitor has come round', async () => {
    const scene = await begin()
    await cluster.promote(scene.next)
    const writableAt = performance.now()
    await end(scene)
    await expectBounded(scene, writableAt)
    // The danger was real: it takes writes to this hour.
    await scene.old.query(`insert into written values ('stray')`)
    expect(scene.pool.topology.hosts[0]).toMatchObject({ role: 'stale' })
  })

  it('with synchronous replication nothing at all is lost', async () => {
    const scene = await begin({ synchronousStandbyNames: '*' })
    await waitForNobody(scene.next)
    await cluster.promote(scene.next)
    await end(scene)
    expect(await missingOn(scene.next, scene.writing)).toEqual([])
    expect(scene.writing.acknowledged.length).toBeGreaterThan(0)
  })

  it('frozen, and thawed before anybody has noticed', async () => {
    const scene = await begin()
    await scene.old.freeze()
    await cluster.promote(scene.next)
    const writableAt = performance.now()
    await scene.old.thaw()
    await end(scene)
    await expectBounded(scene, writableAt)
  })

  it('frozen, and thawed when it has been left: what lay in its sockets is not acknowledged any more', async () => {
    const scene = await begin()
    await scene.old.freeze()
    const frozenAt = performance.now()
    await cluster.promote(scene.next)
    await poll(() => scene.pool.topology.leader === keyOf(scene.next), { what: 'the new leader is followed' })
    await scene.old.thaw()
    await poll(() => scene.pool.topology.hosts[0]?.role === 'stale', { what: 'the old one is seen again' })
    await end(scene)
    const lost = await missingOn(scene.next, scene.writing)
    expect(lost.filter(({ at }) => at > frozenAt)).toEqual([])
  })

  it('restarted by whoever watches it, on its old timeline', async () => {
    const scene = await begin()
    await scene.old.kill()
    const killedAt = performance.now()
    await cluster.promote(scene.next)
    await scene.old.start()
    await poll(() => scene.pool.topology.hosts[0]?.role === 'stale', { what: 'the old one is seen again' })
    await end(scene)
    const lost = await missingOn(scene.next, scene.writing)
    expect(lost.filter(({ at }) => at > killedAt)).toEqual([])
  })

  it('while the new one is fenced still (read-only by default): callers are held until it is not', async () => {
    const scene = await begin()
    const { next, pool, events, writing } = scene
    await next.query('alter system set default_transaction_read_only = on')
    await next.query('select pg_reload_conf()')
    await cluster.promote(next)
    const promotedAt = performance.now()
    await poll(() => pool.topology.leader === undefined, { what: 'the old one is left' })
    const left = events.told.find(({ topology }) => topology.leader === undefined && topology.generation === 1)!
    await next.query('alter system reset default_transaction_read_only')
    await next.query('select pg_reload_conf()')
    await end(scene)
    const lost = await missingOn(next, writing)
    const latest = events.latest(promotedAt, intervalMillis, next, 'read-only', left)
    expect(lost.filter(({ at }) => at > left.at)).toEqual([])
    expect(lost.filter(({ at }) => at > latest)).toEqual([])
  })
})

describe('where a pooler or the rights of the role hide identity and timeline', () => {
  const role = 'hidden'
  const hide = `create role ${role} login password '${role}'; grant insert, select on written to ${role};
    revoke execute on function pg_control_system() from public; revoke execute on function pg_walfile_name(pg_lsn) from public`

  it('synchronous replication keeps all that was acknowledged', async () => {
    const scene = await begin({ synchronousStandbyNames: '*' })
    await scene.writing.stop()
    await scene.old.query(hide)
    const { pool } = makePool({
      hosts: cluster.hosts.map(({ host, port }) => ({ host, port })),
      database: cluster.database,
      user: role,
      password: role,
      monitor: { intervalMillis, timeoutMillis: 500 },
    })
    const writing = startWriting(pool, role)
    await writing.everybodyServed()
    expect(pool.topology.hosts.map(({ timeline, systemIdentifier }) => timeline ?? systemIdentifier)).toEqual([
      undefined,
      undefined,
    ])
    await waitForNobody(scene.next)
    await cluster.promote(scene.next)
    await scene.old.kill()
    await end({ ...scene, pool, writing })
    expect(await missingOn(scene.next, writing)).toEqual([])
    expect(await idsOn(scene.next)).not.toEqual([])
  })
})
