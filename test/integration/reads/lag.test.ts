import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Pool } from '../../../src/index'
import { FaultProxy, poll } from '../../support'
import type { Host } from '../../support'
import { stopReceiving } from '../../support/cut-replication'
import { pointTo } from '../../support/replication'
import { heal, keyOf, useCluster } from '../pool/support/clusters'
import { usePools } from '../pool/support/pools'
import { load } from './support/reading'

const cluster = useCluster()
const makePool = usePools()
let proxy: FaultProxy | undefined

const open = (readOnly: object, config: object = {}): Pool =>
  makePool({
    connectionString: cluster().connectionString(),
    failoverTimeoutMillis: 20_000,
    monitor: { intervalMillis: 100, timeoutMillis: 5000 },
    readOnly,
    ...config,
  }).pool

async function standbys(): Promise<readonly Host[]> {
  const primary = await cluster().primary()
  return cluster().hosts.filter((host) => host !== primary)
}

beforeEach(async () => {
  for (const host of await standbys()) {
    await paused.mend(host)
    await delayed.mend(host)
  }
  await heal(cluster())
  const primary = await cluster().primary()
  await primary.query('drop table if exists written; create table written (n int)')
  await cluster().waitForReplication()
})

afterEach(() => proxy?.close())

interface Writer {
  readonly errors: unknown[]
  /** So much more WAL has been written. */
  more(bytes: number): Promise<unknown>
  stop(): Promise<void>
}

const leaderLsn = async (): Promise<bigint> => {
  const [row] = await (
    await cluster().primary()
  ).query<{ n: string }>(`select (pg_current_wal_lsn() - '0/0')::text as n`)
  return BigInt(row!.n)
}

/** Writes by one statement after the other, until it is stopped or the pool is ended. */
function writer(pool: Pool): Writer {
  const errors: unknown[] = []
  let stopped = false
  const write = async (): Promise<void> => {
    while (!stopped && !pool.ending) {
      await pool
        .query('insert into written select generate_series(1, 100)')
        .catch((error: unknown) => errors.push(error))
    }
  }
  const writing = write()
  return {
    errors,
    more: async (bytes) => {
      const wanted = (await leaderLsn()) + BigInt(bytes)
      await poll(async () => (await leaderLsn()) >= wanted, { what: `${bytes} bytes more are written` })
    },
    stop: async () => {
      stopped = true
      await writing
    },
  }
}

interface Fault {
  inflict(host: Host): Promise<unknown>
  mend(host: Host): Promise<unknown>
}

const set = async (host: Host, setting: string): Promise<void> => {
  await host.query(`alter system ${setting}`)
  await host.query('select pg_reload_conf()')
}

const follow = async (host: Host): Promise<unknown> => cluster().repoint(host, await cluster().primary())

const paused: Fault = {
  inflict: (host) => host.query('select pg_wal_replay_pause()'),
  mend: (host) => host.query('select pg_wal_replay_resume()'),
}

const delayed: Fault = {
  inflict: (host) => set(host, `set recovery_min_apply_delay = '1h'`),
  mend: (host) => set(host, 'reset recovery_min_apply_delay'),
}

/** Servers take their time to do as they are told: it stands still while the leader goes on. */
async function standsStill(host: Host): Promise<void> {
  const look = async (): Promise<readonly [bigint, bigint]> => {
    const [row] = await host.query<{ n: string }>(`select (pg_last_wal_replay_lsn() - '0/0')::text as n`)
    return [BigInt(row!.n), await leaderLsn()]
  }
  let [replayed, written] = await look()
  await poll(
    async () => {
      const now = await look()
      if (now[0] !== replayed) [replayed, written] = now
      return now[1] - written > 200_000n
    },
    { what: `${host.name} stands still` },
  )
}

const faults: Record<string, Fault> = {
  'replays nothing': paused,
  'replays an hour late': delayed,
  'follows nobody': { inflict: stopReceiving, mend: follow },
  'follows somebody who is not there': {
    inflict: async (host) => {
      await set(host, `set primary_conninfo = 'host=127.0.0.1 port=1'`)
      await poll(
        async () => (await host.query('select from pg_stat_wal_receiver where pid is not null')).length === 0,
        {
          what: `${host.name} receives no more`,
        },
      )
    },
    mend: follow,
  },
  'has a line to the leader on which nothing comes any more': {
    inflict: async (host) => {
      const { port } = await cluster().primary()
      proxy = await FaultProxy.start(port)
      const address = { host: '127.0.0.1', port: proxy.port }
      await pointTo(host, { ...address, address } as Host)
      await poll(async () => (await host.query(streams, [address.port])).length === 1, {
        what: `${host.name} receives by way of the proxy`,
      })
      proxy.partition('up', 'down')
      // It believes in its line, and by what it has received it is not behind at all.
      expect(await host.query(streams, [address.port])).toHaveLength(1)
    },
    mend: async (host) => {
      // Or its leader believes in it as well.
      await proxy?.close()
      await follow(host)
    },
  },
}

const streams = `select from pg_stat_wal_receiver where status = 'streaming' and sender_port = $1`

const limits = [{ maxLagMillis: 500 }, { maxLagBytes: 100_000 }]

describe.each(limits)('with %o', (limit) => {
  it.each(Object.entries(faults))(
    'a standby that %s is not read from, until it has caught up',
    async (_what, fault) => {
      const pool = open(limit)
      const [late, other] = await standbys()
      const writes = writer(pool)
      const reads = load(pool)
      await poll(() => new Set(reads.ports.slice(-50)).has(late!.port), { what: 'it is read from' })
      await fault.inflict(late!)
      await standsStill(late!)
      await poll(() => !reads.ports.slice(-100).includes(late!.port), { what: 'it is not read from any more' })
      const since = reads.ports.length
      await writes.more(200_000)
      await reads.more(500)
      expect(reads.ports.slice(since)).not.toContain(late!.port)
      await poll(() => reads.ports.slice(-100).includes(other!.port), { what: 'the other one is read from' })
      await fault.mend(late!)
      await poll(() => reads.ports.slice(-100).includes(late!.port), { what: 'it is read from again' })
      await reads.stop()
      await writes.stop()
      expect([...reads.errors, ...writes.errors]).toEqual([])
    },
  )

  it('a pool that begins when a standby is behind already does not read from it either', async () => {
    const [late, other] = await standbys()
    await paused.inflict(late!)
    const before = writer(open({}))
    await standsStill(late!)
    await before.stop()
    const pool = open(limit)
    await pool.query('select 1')
    await poll(() => pool.topology.hosts.filter(({ role }) => role === 'standby').length === 2, {
      what: 'both standbys have answered',
    })
    const reads = load(pool)
    await poll(() => reads.ports.includes(other!.port), { what: 'the other one is read from' })
    await reads.more(200)
    expect(reads.ports).not.toContain(late!.port)
    await paused.mend(late!)
    await poll(() => reads.ports.slice(-100).includes(late!.port), { what: 'it is read from' })
    await reads.stop()
    expect([...reads.errors, ...before.errors]).toEqual([])
  })

  it('all are behind: the leader is read from, until one has caught up', async () => {
    const pool = open(limit)
    const leader = await cluster().primary()
    const late = await standbys()
    const writes = writer(pool)
    const reads = load(pool)
    await poll(() => new Set(reads.ports.slice(-50)).size > 1, { what: 'the standbys are read from' })
    for (const host of late) await paused.inflict(host)
    for (const host of late) await standsStill(host)
    await poll(() => reads.ports.slice(-100).every((port) => port === leader.port), { what: 'the leader is read from' })
    const since = reads.ports.length
    await writes.more(200_000)
    await reads.more(200)
    expect(new Set(reads.ports.slice(since))).toEqual(new Set([leader.port]))
    await writes.stop()
    await paused.mend(late[1]!)
    await poll(() => reads.ports.slice(-100).every((port) => port === late[1]!.port), {
      what: 'a standby is read from',
    })
    await paused.mend(late[0]!)
    await poll(() => new Set(reads.ports.slice(-100)).size === 2, { what: 'both are read from' })
    expect(reads.ports.slice(-100)).not.toContain(leader.port)
    await reads.stop()
    expect([...reads.errors, ...writes.errors]).toEqual([])
  })

  it("all are behind, with fallback: 'error': reads wait, and are told of every host by how much", async () => {
    const config = { failoverTimeoutMillis: 300 }
    const impatient = open({ ...limit, fallback: 'error' }, config)
    const patient = open({ ...limit, fallback: 'error' })
    const leader = await cluster().primary()
    const late = await standbys()
    const text = 'select inet_server_port() as port'
    const read = async (pool: Pool): Promise<number> =>
      (await pool.query<{ port: number }>({ text, readOnly: true })).rows[0]!.port
    expect(await read(impatient)).not.toBe(leader.port)
    expect(await read(patient)).not.toBe(leader.port)
    for (const host of late) await paused.inflict(host)
    const writes = writer(patient)
    for (const host of late) await standsStill(host)
    const refused = await poll(
      async () => {
        const found = await read(impatient).catch((error: unknown) => error)
        return found instanceof Error ? found : undefined
      },
      { what: 'no standby will do' },
    )
    expect(refused).toMatchObject({
      name: 'HostSelectionTimeoutError',
      code: '08001',
      limit: 'failoverTimeoutMillis',
    })
    const { hosts } = refused as Error & { readonly hosts: readonly { host: string; reason: string }[] }
    const why = new Map(hosts.map(({ host, reason }) => [host, reason]))
    expect(new Set(why.keys())).toEqual(new Set(cluster().hosts.map(keyOf)))
    const [[name, most]] = Object.entries(limit) as [[string, number]]
    const unit = name === 'maxLagBytes' ? 'bytes' : 'ms'
    for (const host of late) {
      const reason = why.get(keyOf(host))
      expect(reason).toMatch(new RegExp(String.raw`^is behind the leader by \d+ ${unit} \(${name} is ${most}\)$`))
      expect(Number(/by (\d+)/.exec(reason!)![1])).toBeGreaterThanOrEqual(most)
      expect(refused.message).toContain(reason)
    }
    await poll(async () => (await Promise.race([read(patient), waits()])) === 'waits', { what: 'a read waits' })
    const held = read(patient)
    await writes.stop()
    await paused.mend(late[0]!)
    expect(await held).toBe(late[0]!.port)
    await paused.mend(late[1]!)
    expect(writes.errors).toEqual([])
  })
})

/** Whoever has not come first by then is waiting. */
const waits = (): Promise<'waits'> => new Promise((resolve) => setTimeout(resolve, 100, 'waits'))

it.each([...limits, { maxLagBytes: 0 }])('an idle leader leaves nobody behind: %o', async (limit) => {
  const pool = open(limit)
  const writes = writer(pool)
  await writes.more(200_000)
  await writes.stop()
  await cluster().waitForReplication()
  const reads = load(pool)
  const idle = `select now() - pg_last_xact_replay_timestamp() > interval '2s' as is`
  await poll(
    async () => {
      const found = await Promise.all((await standbys()).map((host) => host.query<{ is: boolean }>(idle)))
      return found.every(([row]) => row?.is === true)
    },
    { what: 'by the time of what they replayed last, the standbys are far behind', intervalMillis: 100 },
  )
  const ports = new Set((await standbys()).map(({ port }) => port))
  await poll(
    () => {
      const latest = reads.ports.slice(-100)
      return latest.every((port) => ports.has(port)) && new Set(latest).size === 2
    },
    { what: 'both standbys are read from, and nobody else' },
  )
  await reads.stop()
  expect([...reads.errors, ...writes.errors]).toEqual([])
})
