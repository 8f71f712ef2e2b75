import { Client } from 'pg'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { poll, startCluster } from '../../support/index'
import type { Cluster, ClusterOptions, Host } from '../../support/index'
import { timelineOf } from '../../support/replication'

// Servers are started and copied; how long that takes is not what is tested.
vi.setConfig({ testTimeout: 60_000 })

async function cluster(options?: ClusterOptions): Promise<Cluster> {
  const started = await startCluster(options)
  onTestFinished(() => started.stop())
  return started
}

function at(cluster: Cluster, index: number): Host {
  const host = cluster.hosts[index]
  if (host === undefined) throw new Error(`no host ${index}`)
  return host
}

async function streaming(primary: Host): Promise<string[]> {
  const text = `select application_name as name from pg_stat_replication where state = 'streaming' order by 1`
  return (await primary.query<{ name: string }>(text)).map(({ name }) => name)
}

/** The standby stays up and hears nothing more, so what is written now is lost with the primary. */
async function detach(standby: Host): Promise<void> {
  await standby.query(`alter system set primary_conninfo = ''`)
  await standby.query('select pg_reload_conf()')
  await poll(async () => (await standby.query('select from pg_stat_wal_receiver')).length === 0, {
    what: `${standby.name} is detached`,
  })
}

async function values(host: Host): Promise<number[]> {
  return (await host.query<{ v: number }>('select v from t order by v')).map(({ v }) => v)
}

async function systemIdentifier(host: Host): Promise<unknown> {
  return (await host.query('select system_identifier from pg_control_system()'))[0]?.['system_identifier']
}

describe('a started cluster', () => {
  it('has a primary and streaming standbys of the asked major', async () => {
    const c = await cluster({ settings: { work_mem: '5MB' } })
    expect(c.hosts.map(({ name }) => name)).toEqual(['host1', 'host2', 'host3'])
    expect(await c.primary()).toBe(at(c, 0))
    expect(await streaming(at(c, 0))).toEqual(['host2', 'host3'])
    await at(c, 0).query('create table t as select 1 as v')
    await c.waitForReplication()
    for (const host of c.hosts) {
      expect(host.port).toBeGreaterThanOrEqual(20_000)
      expect(host.port).toBeLessThan(32_768)
      expect(await values(host)).toEqual([1])
      const [row] = await host.query(
        `select current_setting('cluster_name') as name, current_setting('work_mem') as mem,
           current_setting('timezone') as zone, current_setting('server_version_num')::int / 10000 as major`,
      )
      const major = Number(process.env['PG_LEADER_TEST_POSTGRES'] || 18)
      expect(row).toEqual({ name: host.name, mem: '5MB', zone: 'UTC', major })
    }
  })

  it('is reached by its URI with SCRAM, and by its socket', async () => {
    const c = await cluster({ hosts: 1 })
    const host = at(c, 0)
    expect(c.connectionString({ target_session_attrs: 'any' })).toBe(
      `postgres://postgres:${c.password}@127.0.0.1:${host.port}/postgres?target_session_attrs=any`,
    )
    for (const config of [
      { connectionString: c.connectionStringFor(host) },
      { host: host.socketDirectory, port: host.port, user: c.user, password: c.password, database: c.database },
    ]) {
      const client = new Client(config)
      await client.connect()
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      await client.end()
    }
    const wrong = new Client({ host: host.host, port: host.port, user: c.user, password: 'wrong', ssl: false })
    await expect(wrong.connect()).rejects.toMatchObject({ code: '28P01' })
  })

  it('has an identity of its own, which its standbys share', async () => {
    const [a, b] = await Promise.all([cluster({ hosts: 2 }), cluster({ hosts: 1 })])
    expect(await systemIdentifier(at(a, 1))).toBe(await systemIdentifier(at(a, 0)))
    expect(await systemIdentifier(at(b, 0))).not.toBe(await systemIdentifier(at(a, 0)))
  })

  it('says with the log why it cannot start', async () => {
    await expect(startCluster({ hosts: 1, settings: { shared_buffers: 'nonsense' } })).rejects.toThrow(
      /host1 did not start[^]*shared_buffers/,
    )
  })

  it('waits for synchronous standbys', async () => {
    const c = await cluster({ hosts: 2, synchronousStandbyNames: 'host2' })
    await at(c, 0).query('create table t as select 1 as v')
    expect(await at(c, 0).query('select sync_state from pg_stat_replication')).toEqual([{ sync_state: 'sync' }])
  })
})

describe('changes of the leader', () => {
  it('fails over: kill -9, promotion, the others follow', async () => {
    const c = await cluster()
    await at(c, 0).query('create table t as select 1 as v')
    await c.waitForReplication()
    await c.failover(at(c, 1))
    expect(at(c, 0).running).toBe(false)
    await expect(at(c, 0).query('select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect(await c.primary()).toBe(at(c, 1))
    expect(await timelineOf(at(c, 1))).toBe(2)
    expect(await streaming(at(c, 1))).toEqual(['host3'])
    await at(c, 1).query('insert into t values (2)')
    await c.waitForReplication()
    expect(await values(at(c, 2))).toEqual([1, 2])
  })

  it('switches over and back without losing anything', async () => {
    const c = await cluster()
    await at(c, 0).query('create table t as select 1 as v')
    await c.switchover(at(c, 2))
    expect(await c.primary()).toBe(at(c, 2))
    expect(await streaming(at(c, 2))).toEqual(['host1', 'host2'])
    await at(c, 2).query('insert into t values (2)')
    await c.switchover(at(c, 0))
    expect(await c.primary()).toBe(at(c, 0))
    expect(await timelineOf(at(c, 0))).toBe(3)
    await c.waitForReplication()
    for (const host of c.hosts) expect(await values(host)).toEqual([1, 2])
  })

  it('rejoins an old primary that has diverged', async () => {
    const c = await cluster({ hosts: 2 })
    const [old, next] = [at(c, 0), at(c, 1)]
    await old.query('create table t as select 1 as v')
    await c.waitForReplication()
    await detach(next)
    await old.query('insert into t values (666)')
    await c.failover(next)
    await next.query('insert into t values (2)')
    await old.start()
    // Both call themselves primary now; the higher timeline decides.
    expect(await timelineOf(old)).toBe(1)
    expect(await c.primary()).toBe(next)
    await c.rejoin(old, next)
    await c.waitForReplication()
    expect(await values(old)).toEqual([1, 2])
    expect(await streaming(next)).toEqual(['host1'])
  })

  it('gives a standby that was ahead of the new primary a new copy, and refuses to re-point one', async () => {
    const c = await cluster()
    const [old, next, ahead] = [at(c, 0), at(c, 1), at(c, 2)]
    await old.query('create table t as select 1 as v')
    await c.waitForReplication()
    await detach(next)
    await old.query('insert into t values (666)')
    await poll(async () => (await values(ahead)).length === 2, { what: 'host3 has the row' })
    await old.kill()
    await c.promote(next)
    await expect(c.repoint(ahead, next)).rejects.toThrow(/host3 has replayed what host2 never had/)
    await c.rejoin(ahead, next)
    await c.rejoin(old, next)
    await detach(ahead)
    await next.query('insert into t values (667)')
    await c.failover(ahead)
    expect(await streaming(ahead)).toEqual(['host1'])
    await c.waitForReplication()
    expect(await values(at(c, 0))).toEqual([1])
  })

  it('re-points a standby to another standby', async () => {
    const c = await cluster()
    await c.repoint(at(c, 2), at(c, 1))
    expect(await streaming(at(c, 0))).toEqual(['host2'])
    expect(await streaming(at(c, 1))).toEqual(['host3'])
  })

  it('adds a host', async () => {
    const c = await cluster({ hosts: 1 })
    await at(c, 0).query('create table t as select 1 as v')
    const added = await c.addHost()
    expect(c.hosts).toEqual([at(c, 0), added])
    expect(c.connectionString()).toContain(`:${added.port}/`)
    await at(c, 0).query('insert into t values (2)')
    await c.waitForReplication()
    expect(await values(added)).toEqual([1, 2])
    await c.failover(added)
    expect(await c.primary()).toBe(added)
  })
})

describe('faults of one host', () => {
  it('freezes and thaws', async () => {
    const c = await cluster({ hosts: 2 })
    const [old, next] = [at(c, 0), at(c, 1)]
    const client = new Client({ connectionString: c.connectionStringFor(old) })
    client.on('error', () => undefined)
    await client.connect()
    await old.freeze()
    expect(old.frozen).toBe(true)
    await expect(old.stop('fast')).rejects.toThrow(/frozen/)
    let answered = false
    const answer = client.query('select pg_is_in_recovery() as r').then(({ rows }) => {
      answered = true
      return rows as unknown
    })
    await c.promote(next)
    expect(await c.primary()).toBe(next)
    expect(answered).toBe(false)
    await old.thaw()
    expect(await answer).toEqual([{ r: false }])
    expect(await c.primary()).toBe(next)
    await c.rejoin(old, next)
    await c.failover(old, { lose: 'freeze' })
    expect([old.frozen, next.frozen]).toEqual([false, true])
    await next.kill()
    expect([next.running, next.frozen]).toEqual([false, false])
  })

  it('restarts in place, whatever the end was', async () => {
    const c = await cluster({ hosts: 1 })
    const host = at(c, 0)
    await host.query('create table t as select 1 as v')
    for (const mode of ['fast', 'immediate', 'kill'] as const) {
      const { pid, port } = host
      await host.restart(mode)
      expect(host.pid).not.toBe(pid)
      expect(host.port).toBe(port)
      expect(await values(host)).toEqual([1])
    }
    await host.stop('smart')
    expect(host.running).toBe(false)
    await host.start()
    expect(await values(host)).toEqual([1])
  })

  it('starts again when somebody else has killed the postmaster alone', async () => {
    const c = await cluster({ hosts: 1 })
    const host = at(c, 0)
    process.kill(host.pid ?? Number.NaN, 'SIGKILL')
    await poll(() => !host.running, { what: 'host1 is dead' })
    await host.start()
    expect(await host.query('select 1 as one')).toEqual([{ one: 1 }])
  })

  it('kills one backend, and no process of others', async () => {
    const c = await cluster({ hosts: 1 })
    const host = at(c, 0)
    const client = new Client({ connectionString: c.connectionStringFor(host) })
    const lost = new Promise((resolve) => client.once('error', resolve))
    await client.connect()
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    await host.killBackend(rows[0]?.pid ?? Number.NaN)
    expect(await lost).toBeInstanceOf(Error)
    await expect(host.killBackend(process.pid)).rejects.toThrow(/not a process of host1/)
    await poll(async () => /database system is ready[^]*database system is ready/.test(await host.log()), {
      what: 'the crash restart is over',
    })
  })
})
