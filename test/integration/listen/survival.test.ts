import { afterEach, describe, expect, it } from 'vitest'
import { poll } from '../../support'
import type { Pool } from '../../../src/index'
import { aStandby, heal, keyOf, useCluster } from '../pool/support/clusters'
import { rejection, usePools } from '../pool/support/pools'
import { listeners, listenTo } from './support/ear'

const cluster = useCluster()
const makePool = usePools()

afterEach(() => heal(cluster()))

const name = 'listen-survival'

function following(config: object = {}): Pool {
  const connectionString = cluster().connectionString({ application_name: name })
  return makePool({ connectionString, monitor: { intervalMillis: 100, timeoutMillis: 500 }, ...config }).pool
}

const notify = (pool: Pool, channel: string, payload: string): Promise<unknown> =>
  pool.query({ text: 'select pg_notify($1, $2)', values: [channel, payload], idempotent: true })

type Loss = (name: string) => Promise<void>

/** Each is one way to lose the session that listens. */
const losses: Record<string, Loss> = {
  'kill -9 and a promotion': async () => cluster().failover(await aStandby(cluster())),
  'a switchover': async () => cluster().switchover(await aStandby(cluster())),
  'a leader that freezes, and a promotion': async () =>
    cluster().failover(await aStandby(cluster()), { lose: 'freeze' }),
  // Its sessions live, and it answers: nothing but the newer timeline tells.
  'a promotion that leaves the old leader alive': async () => cluster().promote(await aStandby(cluster())),
  'a restart in place': async () => (await cluster().primary()).restart(),
  'a crash in place': async () => (await cluster().primary()).restart('kill'),
  'its backend terminated': async () => {
    const text = `select pg_terminate_backend(pid) from (${listeners}) as them`
    await (await cluster().primary()).query(text, [name])
  },
}

describe.each(Object.entries(losses))('after %s', (_what, lose) => {
  it('every handler is told of the gap once, and then hears again', async () => {
    const pool = following()
    const ear = await listenTo(pool, 'survival')
    const another = await listenTo(pool, 'survival/other')
    await notify(pool, 'survival', 'before')
    await ear.hears('before')
    await lose(name)
    await ear.hears('gap')
    await another.hears('gap')
    await notify(pool, 'survival', 'after')
    await ear.hears('after')

    expect(ear.told).toEqual(['before', 'gap', 'after'])
    expect(another.told).toEqual(['gap'])
    expect(ear.events[1]).toEqual({ type: 'gap', channel: 'survival', millis: expect.any(Number) })
    const primary = await cluster().primary()
    expect(pool.topology.leader).toBe(keyOf(primary))
    await pool.end()
    for (const host of cluster().hosts.filter(({ running, frozen }) => running && !frozen)) {
      await poll(async () => (await host.query(listeners, [name])).length === 0, { what: 'nothing is left there' })
    }
  })
})

it('who subscribes while there is no leader waits for one, without a gap', async () => {
  const pool = following()
  const ear = await listenTo(pool, 'leaderless')
  const next = await aStandby(cluster())
  const old = await cluster().primary()
  await old.kill()
  // Not in doubt alone: until its end is seen the session that is there takes new channels, and they have a gap with it then.
  const isGone = (): boolean =>
    pool.topology.hosts.some(({ host, reason }) => host === keyOf(old) && reason?.includes('ECONNREFUSED') === true)
  await poll(isGone, { what: 'it is missed' })
  const [late, other] = [listenTo(pool, 'leaderless'), listenTo(pool, 'leaderless/other')]
  await cluster().promote(next)
  const ears = await Promise.all([late, other])
  await ear.hears('gap')
  for (const each of ears) expect(each.told).toEqual([])
})

it('gives up in time where there is no leader to come, and says why', async () => {
  const standby = await aStandby(cluster())
  const { pool } = makePool({
    connectionString: cluster().connectionStringFor(standby),
    targetSessionAttrs: 'standby',
    failoverTimeoutMillis: 300,
  })
  const error = await listenTo(pool, 'nobody').catch((reason: unknown) => reason)
  expect(error).toMatchObject({
    name: 'HostSelectionTimeoutError',
    limit: 'failoverTimeoutMillis',
    hosts: [{ host: keyOf(standby), reason: expect.stringContaining('standby') }],
  })
})

it('a pool of standbys listens on the leader', async () => {
  const pool = following({ targetSessionAttrs: 'standby' })
  const ear = await listenTo(pool, 'standbys')
  const primary = await cluster().primary()
  await primary.query(`select pg_notify('standbys', 'heard')`)
  await ear.hears('heard')
  const { rows } = await pool.query<{ standby: boolean }>('select pg_is_in_recovery() as standby')
  expect(rows).toEqual([{ standby: true }])
})

it('refused credentials are told at once', async () => {
  const hosts = cluster().hosts.map(({ host, port }) => ({ host, port }))
  const { pool } = makePool({ hosts, user: 'postgres', password: 'wrong', database: 'postgres' })
  await expect(listenTo(pool, 'refused')).rejects.toMatchObject({ code: '28P01' })
})

it('end() while it is looking for a leader answers who waits, and leaves nothing', async () => {
  const pool = following()
  await listenTo(pool, 'ending')
  const primary = await cluster().primary()
  await primary.kill()
  await poll(() => pool.topology.leader === undefined, { what: 'it is missed' })
  const waiting = rejection(listenTo(pool, 'ending/other'))
  await pool.end()
  expect(await waiting).toMatchObject({ message: 'Cannot use a pool after calling end on the pool' })
  await expect(pool.listen('ending', () => undefined)).rejects.toThrow(
    'Cannot use a pool after calling end on the pool',
  )
  await primary.start()
  expect(await primary.query(listeners, [name])).toEqual([])
})
