import { inspect } from 'node:util'
import pg from 'pg'
import { beforeEach, describe, expect, it } from 'vitest'
import { primary as onPrimary, readOnly } from '../../../src/index'
import type { Pool } from '../../../src/index'
import { poll } from '../../support'
import { heal, useCluster } from '../pool/support/clusters'
import { rejection, usePools } from '../pool/support/pools'

const cluster = useCluster()
const makePool = usePools()

const open = (config: object = {}): Pool =>
  makePool({ connectionString: cluster().connectionString(), failoverTimeoutMillis: 20_000, ...config }).pool

const text = `select current_setting('port')::int as port`
type Row = { port: number }

async function ports(): Promise<{ primary: number; standbys: number[] }> {
  const primary = await cluster().primary()
  const standbys = cluster().hosts.filter((host) => host !== primary)
  return { primary: primary.port, standbys: standbys.map(({ port }) => port).sort() }
}

beforeEach(() => heal(cluster()))

/** Every standby is known to its pool. */
async function known(pool: Pool): Promise<void> {
  await pool.query('select 1')
  await poll(() => pool.topology.hosts.filter(({ role }) => role === 'standby').length === 2, {
    what: 'both standbys have answered',
  })
}

const portOf = async (asked: Promise<{ rows: Row[] }>): Promise<number> => (await asked).rows[0]!.port
const many = async (ask: () => Promise<{ rows: Row[] }>, times = 40): Promise<number[]> =>
  [...new Set(await Promise.all(Array.from({ length: times }, () => portOf(ask()))))].sort()

describe('a read goes to the standbys, and to all of them', () => {
  it('if its statement is marked; others go to the leader', async () => {
    const pool = open()
    const { primary, standbys } = await ports()
    await known(pool)
    expect(await many(() => pool.query<Row>({ text, readOnly: true }))).toEqual(standbys)
    expect(await many(() => pool.query<Row>(text), 5)).toEqual([primary])
    expect(await many(() => pool.query<Row>({ text, readOnly: false }), 5)).toEqual([primary])
  })

  it('if its text has the comment', async () => {
    const pool = open()
    await known(pool)
    expect(await many(() => pool.query<Row>(`/* pg-leader: read-only */ ${text}`))).toEqual((await ports()).standbys)
  })

  it('by way of pool.readOnly', async () => {
    const pool = open()
    await known(pool)
    const { standbys } = await ports()
    expect(await many(() => pool.readOnly.query<Row>(text))).toEqual(standbys)
    const client = await pool.readOnly.connect()
    expect(standbys).toContain(await portOf(client.query<Row>(text)))
    client.release()
  })

  it('inside of readOnly(), wherever that leads to, but not inside of primary()', async () => {
    const pool = open()
    const { primary, standbys } = await ports()
    await known(pool)
    await readOnly(async () => {
      expect(await many(() => pool.query<Row>(text))).toEqual(standbys)
      const later = await new Promise<number>((resolve, reject) => {
        setTimeout(() => void portOf(pool.query<Row>(text)).then(resolve, reject), 1)
      })
      expect(standbys).toContain(later)
      const called = await new Promise<number>((resolve, reject) => {
        pool.query<Row>(text, [], (error, result) => (error ? reject(error) : resolve(result.rows[0]!.port)))
      })
      expect(standbys).toContain(called)
      const client = await pool.connect()
      expect(standbys).toContain(await portOf(client.query<Row>(text)))
      client.release()
      expect(await onPrimary(() => portOf(pool.query<Row>(text)))).toBe(primary)
      expect(await portOf(pool.query<Row>({ text, readOnly: false }))).toBe(primary)
    })
    expect(await portOf(pool.query<Row>(text))).toBe(primary)
  })

  it('in a transaction that is declared so, but for one that a standby cannot run', async () => {
    const pool = open()
    const { primary, standbys } = await ports()
    await known(pool)
    const where = (options: object): Promise<number> =>
      pool.transaction((client) => portOf(client.query<Row>(text)), options)
    expect(standbys).toContain(await where({ readOnly: true }))
    expect(await where({ readOnly: true, isolation: 'serializable' })).toBe(primary)
    expect(await where({})).toBe(primary)
  })
})

describe('a mark that is wrong is harmless', () => {
  it.each(['standbys', 'the primary alone'])('a write is refused: %s', async (where) => {
    const pool = open()
    await known(pool)
    await pool.query('create table if not exists written (id int)')
    if (where !== 'standbys') {
      const primary = await cluster().primary()
      await Promise.all(
        cluster()
          .hosts.filter((host) => host !== primary)
          .map((host) => host.stop('fast')),
      )
      await poll(() => pool.topology.hosts.filter(({ role }) => role === 'standby').length === 0, {
        what: 'no standby is left',
      })
    }
    const error = await rejection(pool.query({ text: 'insert into written values (1)', readOnly: true }))
    expect(error).toMatchObject({ code: '25006' })
    expect((await pool.query('select count(*)::int as n from written')).rows).toEqual([{ n: 0 }])
    await pool.query('drop table written')
  })

  it('an advisory lock is taken on the leader, and what opens a transaction that writes is not sent', async () => {
    const pool = open()
    await known(pool)
    const { rows } = await pool.query<Row>({
      text: `select pg_advisory_lock(7), pg_advisory_unlock(7), current_setting('port')::int as port`,
      readOnly: true,
    })
    expect(rows[0]!.port).toBe((await ports()).primary)
    const error = await rejection(pool.query({ text: 'begin read write', readOnly: true }))
    expect(error).toMatchObject({ name: 'UnsupportedStatementError' })
    const client = await pool.readOnly.connect()
    expect(await rejection(client.query('begin read write'))).toMatchObject({ name: 'UnsupportedStatementError' })
    const told = await new Promise((resolve) => client.query('set transaction_read_only to off', resolve))
    expect(told).toMatchObject({ name: 'UnsupportedStatementError' })
    await client.query('begin')
    expect(await rejection(client.query('create table nowhere_to_be (n int)'))).toMatchObject({ code: '25006' })
    await client.query('rollback')
    client.release()
  })

  it('by way of pool.readOnly as well', async () => {
    const pool = open()
    await known(pool)
    const locked = `select pg_try_advisory_lock(8) as got, pg_advisory_unlock(8), current_setting('port')::int as port`
    expect((await pool.readOnly.query<Row>(locked)).rows[0]!.port).toBe((await ports()).primary)
    expect(await rejection(pool.readOnly.query('begin read write'))).toMatchObject({
      name: 'UnsupportedStatementError',
    })
    expect(await rejection(pool.readOnly.query('create table nowhere_to_be (n int)'))).toMatchObject({ code: '25006' })
  })
})

describe('pool.readOnly', () => {
  it('is a pool of pg’s, whose end ends nothing but itself', async () => {
    const pool = open()
    await known(pool)
    const view = pool.readOnly
    expect(view).toBeInstanceOf(pg.Pool)
    expect(pool.readOnly).toBe(view)
    await many(() => view.query<Row>(text))
    expect(view.totalCount).toBeGreaterThanOrEqual(2)
    expect(view.idleCount).toBe(view.totalCount)
    await view.end()
    expect((await rejection(view.query('select 1'))).message).toBe('Cannot use a pool after calling end on the pool')
    expect(await portOf(pool.query<Row>({ text, readOnly: true }))).toBeDefined()
  })

  it('has clients that find a standby by themselves, the name of pg’s class, and no secrets to show', async () => {
    const pool = open()
    await known(pool)
    const { Client, options, constructor } = pool.readOnly as pg.Pool & { Client: typeof pg.Client }
    const client = new Client(options)
    await client.connect()
    expect((await ports()).standbys).toContain(await portOf(client.query<Row>(text)))
    expect(await rejection(client.query('create table nowhere_to_be (n int)'))).toMatchObject({ code: '25006' })
    await client.end()
    expect(constructor.name).toBe('Pool')
    expect(inspect(pool.readOnly, { depth: 9 })).not.toContain(cluster().password)
  })

  it('ends with its pool, which waits for the connections of both', async () => {
    const pool = open()
    await known(pool)
    await many(() => pool.readOnly.query<Row>(text))
    const view = pool.readOnly
    await pool.end()
    expect(view.totalCount).toBe(0)
    expect(view.ended).toBe(true)
    const left = await Promise.all(
      cluster().hosts.map((host) =>
        poll(
          async () =>
            (await host.query(`select pid from pg_stat_activity where application_name = 'reads'`)).length === 0,
          {
            what: 'no session is left',
          },
        ),
      ),
    )
    expect(left).toHaveLength(3)
  })
})
