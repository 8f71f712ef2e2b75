import { beforeEach, describe, expect, it } from 'vitest'
import { session } from '../../../src/index'
import type { Pool } from '../../../src/index'
import { poll } from '../../support'
import type { Host } from '../../support'
import { heal, keyOf, useCluster } from '../pool/support/clusters'
import { rejection, usePools } from '../pool/support/pools'
import { known, replay, standbysOf } from './support/standbys'

const cluster = useCluster()
const makePool = usePools()

const open = (config: object = {}): Pool =>
  makePool({ connectionString: cluster().connectionString(), failoverTimeoutMillis: 20_000, ...config }).pool

const standbys = (): Promise<readonly Host[]> => standbysOf(cluster())
const pause = async (): Promise<void> => replay('pause', await standbys())
const resume = async (): Promise<void> => replay('resume', await standbys())

beforeEach(async () => {
  await heal(cluster())
  const primary = await cluster().primary()
  await primary.query('drop table if exists written; create table written (n int)')
  const found = async (host: Host): Promise<boolean> =>
    (await host.query(`select to_regclass('written') as t`).catch(() => []))[0]?.['t'] === 'written'
  await poll(async () => (await Promise.all((await standbys()).map(found))).every(Boolean), {
    what: 'it is replicated',
  })
})

interface Seen {
  n: number
  port: number
}
const text = `select count(*)::int as n, current_setting('port')::int as port from written`
const read = async (pool: Pool): Promise<Seen> => (await pool.query<Seen>({ text, readOnly: true })).rows[0]!

type Write = (pool: Pool) => Promise<unknown>
const writes: Record<string, Write> = {
  'a statement': (pool) => pool.query('insert into written values (1)'),
  'a transaction': (pool) => pool.transaction((client) => client.query('insert into written values (1)')),
  exactlyOnce: (pool) => pool.query({ text: 'insert into written values (1)', exactlyOnce: true }),
  'a client': async (pool) => {
    const client = await pool.connect()
    await client.query('begin')
    await client.query('insert into written values (1)')
    await client.query('commit')
    client.release()
  },
  'a client that is kept': async (pool) => {
    const client = await pool.connect()
    await client.query('insert into written values (1)')
    setTimeout(() => client.release(), 50)
  },
}

describe.each(Object.entries(writes))('a session reads what it has written by %s', (_what, write) => {
  it('on the leader while no standby has it, on a standby when one has', async () => {
    const pool = open()
    await known(pool)
    const leader = (await cluster().primary()).port
    await pause()
    await session(async () => {
      expect((await read(pool)).port).not.toBe(leader)
      await write(pool)
      expect(await read(pool)).toEqual({ n: 1, port: leader })
      await resume()
      await poll(async () => (await read(pool)).port !== leader, { what: 'a standby has it' })
      expect((await read(pool)).n).toBe(1)
    })
  })

  it('which is not so with consistency: eventual, nor outside of it', async () => {
    const pool = open({ consistency: 'eventual' })
    const other = open()
    await known(pool)
    await known(other)
    await pause()
    await session(async () => {
      await write(pool)
      expect((await read(pool)).n).toBe(0)
    })
    await session(() => write(other))
    expect((await read(other)).n).toBe(0)
    await resume()
  })
})

it('a standby that is about to have it is waited for', async () => {
  const pool = open()
  await known(pool)
  const leader = (await cluster().primary()).port
  await session(async () => {
    for (let n = 1; n <= 50; n += 1) {
      await pool.query('insert into written values (1)')
      expect((await read(pool)).n).toBe(n)
    }
    const ports = new Set<number>()
    for (let n = 0; n < 10; n += 1) ports.add((await read(pool)).port)
    expect([...ports]).not.toContain(leader)
  })
})

it('a position makes another pool, in another process, see what was written', async () => {
  const pool = open()
  const other = open()
  await known(pool)
  await known(other)
  await pause()
  await pool.query('insert into written values (1)')
  const after = await pool.position()
  expect(after).toMatch(/^\d+\/[0-9A-F]+\/[0-9A-F]+$/)
  const leader = (await cluster().primary()).port
  expect((await other.query<Seen>({ text, after })).rows[0]).toEqual({ n: 1, port: leader })
  expect((await other.readOnly.query<Seen>({ text, after } as never)).rows[0]).toEqual({ n: 1, port: leader })
  await resume()
  await poll(async () => (await other.query<Seen>({ text, after })).rows[0]!.port !== leader, {
    what: 'a standby has it',
  })
  const error = await rejection(other.query({ text, after: 'yesterday' }))
  expect(error).toMatchObject({ name: 'ConnInfoError' })
  expect(error.message).toContain('"yesterday"')
})

it('a position of a history that a failover has cut off is answered by the leader', async () => {
  const pool = open()
  await known(pool)
  await pool.query('insert into written values (1)')
  const after = await pool.position()
  const [promoted] = await standbys()
  await cluster().switchover(promoted!)
  await heal(cluster())
  await poll(() => pool.topology.leader === keyOf(promoted!), { what: 'it leads' })
  expect((await pool.query<Seen>({ text, after })).rows[0]!.port).toBe(promoted!.port)
})

it('a session never goes back in time: where its standby is lost, another one has to have come as far', async () => {
  const pool = open()
  await known(pool)
  const leader = await cluster().primary()
  const [ahead, behind] = await standbys()
  await behind!.query('select pg_wal_replay_pause()')
  await session(async () => {
    // Whoever reads on the one that is ahead has seen what the other does not have.
    await leader.query('insert into written values (1)')
    await poll(async () => (await ahead!.query<Seen>(text))[0]!.n === 1, { what: 'one standby has it' })
    const first = await read(pool)
    if (first.port === behind!.port) {
      expect(first.n).toBe(0)
      expect((await read(pool)).port).toBe(behind!.port)
      return
    }
    expect(first).toEqual({ n: 1, port: ahead!.port })
    await ahead!.kill()
    expect((await read(pool)).n).toBe(1)
  })
  await behind!.query('select pg_wal_replay_resume()')
  if (!ahead!.running) await ahead!.start()
})
