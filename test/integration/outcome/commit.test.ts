import { describe, expect, it } from 'vitest'
import type pg from 'pg'
import type { PoolConfig } from '../../../src/index'
import { FaultProxy, poll } from '../../support'
import { useCluster } from '../pool/support/clusters'
import { rejection, usePools } from '../pool/support/pools'
import { asPoorRole, useKept } from './support/kept'
import { record as recordSent } from './support/record'

const cluster = useCluster({ hosts: 2 })
const makePool = usePools()
const kept = useKept(cluster)

const witnessing = (config: PoolConfig = {}) =>
  makePool({ connectionString: cluster().connectionString(), outcome: 'witness', max: 1, ...config }).pool

const record = (client: pg.PoolClient): string[] =>
  recordSent(client, 'witness', (text) => text.includes('pg_logical_emit_message'))

describe('outcome: witness', () => {
  it('sends a witness before COMMIT, in one message, and answers as the server does', async () => {
    const pool = witnessing()
    const client = await pool.connect()
    const sent = record(client)
    await client.query('begin')
    await client.query('insert into kept values (1)')
    expect(await client.query('COMMIT')).toMatchObject({ command: 'COMMIT', rowCount: null, rows: [] })
    expect(sent).toEqual(['witness', 'flush', 'COMMIT', 'sync'])
    sent.length = 0
    await client.query('begin')
    const told = await new Promise((resolve) => {
      client.query('end', (error: unknown, result: unknown) => resolve([error, (result as pg.QueryResult).command]))
    })
    expect(told).toEqual([null, 'COMMIT'])
    expect(sent).toEqual(['witness', 'flush', 'end', 'sync'])
    client.release()
    expect(await kept()).toEqual([1])
  })

  it('leaves alone what is no COMMIT of a transaction that is under way', async () => {
    const pool = witnessing()
    const client = await pool.connect()
    const sent = record(client)
    await client.query('commit')
    await client.query('begin')
    await client.query('savepoint a')
    await client.query('release savepoint a')
    await client.query('commit and chain')
    await client.query('rollback')
    await client.query('begin')
    await rejection(client.query('select 1 / 0'))
    expect((await client.query('commit')).command).toBe('ROLLBACK')
    await client.query('begin; select 1; commit')
    client.release()
    expect(sent).toEqual([])
  })

  it('judges the state of the transaction when it is the turn of the COMMIT, and not when it was asked for', async () => {
    const client = await witnessing().connect()
    const sent = record(client)
    await client.query('begin')
    const [, failed, committed] = await Promise.allSettled([
      client.query('insert into kept values (1)'),
      client.query('select 1 / 0'),
      client.query('commit'),
    ])
    expect([failed.status, (committed as PromiseFulfilledResult<pg.QueryResult>).value.command]).toEqual([
      'rejected',
      'ROLLBACK',
    ])
    expect(sent).toEqual([])
    await Promise.all([client.query('begin'), client.query('insert into kept values (2)'), client.query('commit')])
    expect(sent).toEqual(['witness', 'flush', 'commit', 'sync'])
    client.release()
    expect(await kept()).toEqual([2])
  })

  it('gives a transaction that only reads no id', async () => {
    const pool = witnessing()
    const client = await pool.connect()
    const xid = async (): Promise<unknown> =>
      (await client.query<{ xid: string }>('select pg_snapshot_xmax(pg_current_snapshot())::text as xid')).rows[0]?.xid
    const before = await xid()
    await client.query('begin')
    await client.query('select * from kept')
    await client.query('commit')
    expect(await xid()).toBe(before)
    client.release()
  })

  it('passes on what COMMIT fails with', async () => {
    const pool = witnessing()
    await pool.query('alter table kept add column next int references kept deferrable initially deferred')
    const client = await pool.connect()
    await client.query('begin')
    await client.query('insert into kept (id, next) values (1, 7)')
    expect(await rejection(client.query('commit'))).toMatchObject({ code: '23503' })
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    client.release()
  })

  it('looks up a COMMIT whose answer does not come, although the pool may have no other client', async () => {
    const pool = witnessing()
    const client = await pool.connect()
    await client.query('begin')
    await client.query('insert into kept values (1)')
    let rows = 0
    client.connection.prependListener('dataRow', () => {
      rows += 1
      if (rows === 1) client.connection.stream.destroy()
    })
    // pg reads what has come already: the witness at least.
    expect((await client.query('commit')).command).toBe('COMMIT')
    client.release()
    expect(await kept()).toEqual([1])
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  it.each([
    ['nothing of the answer but that it was parsed comes through', '1', 'OutcomeUnknownError'],
    ['the witness comes through', 'D', 'COMMIT'],
  ])('says what became of it when a network loses the answer: %s', async (_what, last, expected) => {
    const { user, password, database } = cluster()
    const proxy = await FaultProxy.start((await cluster().primary()).port, { reads: true })
    const pool = witnessing({
      connectionString: undefined,
      hosts: [{ host: '127.0.0.1', port: proxy.port }],
      targetSessionAttrs: 'read-write',
      user,
      password,
      database,
    })
    const client = await pool.connect()
    await client.query('begin')
    await client.query('insert into kept values (1)')
    proxy.cutBehind(last)
    const committed = client.query('commit').then(
      ({ command }) => command,
      (error: unknown) => (error as Error).name,
    )
    await new Promise((resolve) => client.once('end', resolve))
    proxy.heal()
    expect(await committed).toBe(expected)
    expect(await kept()).toEqual([1])
    client.release()
    await pool.end()
    await proxy.close()
  })

  it('says that it was rolled back, where the connection ends before the server has looked at it', async () => {
    const pool = witnessing()
    const client = await pool.connect()
    await client.query('begin')
    await client.query('insert into kept values (1)')
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    const committed = rejection(client.query('select pg_sleep(30)').then(() => client.query('commit')))
    await (await cluster().primary()).query('select pg_terminate_backend($1)', [rows[0]?.pid])
    await committed
    client.release(true)
    expect(await kept()).toEqual([])
  })

  it('is done when the server has said so, although the session is ended before it is ready for more', async () => {
    const { user, password, database } = cluster()
    const primary = await cluster().primary()
    let hiding = false
    const proxy = await FaultProxy.start(primary.port, { hides: (message) => hiding && message[0] === 0x5a })
    const hosts = [{ host: '127.0.0.1', port: proxy.port }]
    const pool = witnessing({
      connectionString: undefined,
      hosts,
      targetSessionAttrs: 'read-write',
      user,
      password,
      database,
    })
    const client = await pool.connect()
    await client.query('begin')
    await client.query('insert into kept values (1)')
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    hiding = true
    const committed = client.query('commit')
    await poll(async () => (await kept()).length > 0, { what: 'it is committed', intervalMillis: 1 })
    await primary.query('select pg_terminate_backend($1)', [rows[0]?.pid])
    expect((await committed).command).toBe('COMMIT')
    hiding = false
    client.release(true)
    await pool.end()
    await proxy.close()
  })

  it('goes without a witness where the server does not let one be written', async () => {
    await asPoorRole(cluster(), async (config) => {
      const pool = witnessing({ connectionString: undefined, ...config })
      const client = await pool.connect()
      const sent = record(client)
      await client.query('begin')
      await client.query('insert into kept values (1)')
      expect((await client.query('commit')).command).toBe('COMMIT')
      expect(sent).toEqual([])
      client.release()
    })
  })
})
