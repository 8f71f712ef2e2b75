import { beforeEach, describe, expect, it } from 'vitest'
import type { Pool } from '../../../src/index'
import { poll } from '../../support'
import type { Host } from '../../support'
import { heal, keyOf, useCluster } from '../pool/support/clusters'
import { usePools } from '../pool/support/pools'
import { startSessions, violations } from './support/histories'
import type { Sessions } from './support/histories'

// What a failover would cut off after it was acknowledged is no matter of where one reads: a standby has it before that.
const cluster = useCluster({ synchronousStandbyNames: 'ANY 1 (host1, host2, host3)' })
const makePool = usePools()
const sessions = 6

/** Every host replays late, each by another time. */
async function delayReplay(): Promise<void> {
  for (const [place, host] of cluster().hosts.entries()) {
    await host.query(`alter system set recovery_min_apply_delay = '${15 + 40 * place}ms'`)
    await host.query('select pg_reload_conf()')
  }
}

beforeEach(async () => {
  await heal(cluster())
  const primary = await cluster().primary()
  await primary.query(
    'drop table if exists counters; create table counters (id int primary key, n int not null);' +
      `insert into counters select g, 0 from generate_series(0, ${sessions - 1}) g`,
  )
  await cluster().waitForReplication()
  await delayReplay()
})

function open(consistency: 'eventual' | 'session'): Pool {
  return makePool({
    connectionString: cluster().connectionString(),
    consistency,
    failoverTimeoutMillis: 20_000,
    monitor: { intervalMillis: 100, timeoutMillis: 500 },
  }).pool
}

/** Every session has come further by so many steps. */
async function more({ histories }: Sessions, steps: number): Promise<void> {
  const wanted = histories.map(({ length }) => length + steps)
  await poll(() => histories.every(({ length }, place) => length >= wanted[place]!), {
    what: 'every session goes on',
    timeoutMillis: 20_000,
  })
}

const of = (found: Sessions): ReturnType<typeof violations> => {
  const each = found.histories.map(violations)
  return { writes: each.flatMap(({ writes }) => writes), back: each.flatMap(({ back }) => back) }
}

async function standbys(): Promise<readonly Host[]> {
  const primary = await cluster().primary()
  return cluster().hosts.filter((host) => host !== primary)
}

/** Of these standbys the one that has received most: it has all that was acknowledged. */
async function mostAdvanced(hosts: readonly Host[]): Promise<Host> {
  const received = await Promise.all(
    hosts.map(async (host) => {
      const [row] = await host.query<{ n: string }>(`select (pg_last_wal_receive_lsn() - '0/0')::text as n`)
      return { host, n: BigInt(row!.n) }
    }),
  )
  return received.reduce((best, each) => (each.n > best.n ? each : best)).host
}

const faults: Record<string, (found: Sessions, pool: Pool) => Promise<void>> = {
  'nothing happens': (found) => more(found, 30),
  'a standby is killed and comes back': async (found) => {
    const [lost] = await standbys()
    await lost!.kill()
    await more(found, 10)
    await lost!.start()
    await more(found, 20)
  },
  'a standby is restarted': async (found) => {
    const [lost] = await standbys()
    await lost!.restart('kill')
    await more(found, 20)
  },
  'a switchover': async (found, pool) => {
    const [next] = await standbys()
    await cluster().switchover(next!)
    await poll(() => pool.topology.leader === keyOf(next!), { what: 'it leads' })
    await more(found, 20)
  },
  'the leader is killed, and the standby promoted that has all': async (found, pool) => {
    const primary = await cluster().primary()
    const waiting = await standbys()
    await primary.kill()
    const next = await mostAdvanced(waiting)
    await cluster().promote(next)
    for (const host of waiting) if (host !== next) await cluster().repoint(host, next)
    await poll(() => pool.topology.leader === keyOf(next), { what: 'it leads' })
    await more(found, 20)
  },
}

describe('sessions over standbys that replay late read what they have written, and never go back in time', () => {
  it.each(Object.entries(faults))('%s', async (_what, fault) => {
    const pool = open('session')
    const found = startSessions(pool, sessions, Math.random)
    await more(found, 10)
    await fault(found, pool)
    await found.stop()
    expect(of(found)).toEqual({ writes: [], back: [] })
    expect(found.errors).toEqual([])
    const ports = new Set(found.histories.flat().flatMap((step) => (step.did === 'read' ? [step.port] : [])))
    expect(ports.size).toBeGreaterThan(1)
  })
})

it('and the checker finds both without that', async () => {
  const pool = open('eventual')
  const found = startSessions(pool, sessions, Math.random)
  await more(found, 60)
  await found.stop()
  expect(of(found).writes).not.toEqual([])
  expect(of(found).back).not.toEqual([])
})
