import { EventEmitter } from 'node:events'
import type pg from 'pg'
import { describe, expect, it } from 'vitest'
import type { Pool, PoolConfig } from '../../../src/index'
import { FaultProxy, poll } from '../../support'
import { useCluster } from '../pool/support/clusters'
import { rejection, usePools } from '../pool/support/pools'
import { useKept } from './support/kept'

const cluster = useCluster({ hosts: 2 })
const makePool = usePools()
const kept = useKept(cluster)

const following = (config: PoolConfig = {}): Pool =>
  makePool({ connectionString: cluster().connectionString(), max: 4, ...config }).pool
const plain = async (): Promise<Pool> => {
  const primary = await cluster().primary()
  return makePool({ connectionString: cluster().connectionStringFor(primary), max: 4 }).pool
}

describe.each([
  ['a pool that follows', () => Promise.resolve(following())],
  ['a pool of one host', plain],
])('exactlyOnce on %s', (_kind, open) => {
  it('answers as it would without', async () => {
    const pool = await open()
    const results = []
    for (const exactlyOnce of [false, true]) {
      await pool.query('truncate kept')
      const one = await pool.query({
        text: 'insert into kept values ($1, $2) returning *',
        values: [1, 'a'],
        exactlyOnce,
      })
      const named = { text: 'insert into kept select $1::int + 1 returning id', name: 'next', exactlyOnce }
      const two = await pool.query(named, [1])
      const three = await pool.query(named, [2])
      const array = await pool.query({ text: 'select id from kept order by id', rowMode: 'array', exactlyOnce })
      const none = await pool.query({ text: 'delete from kept where id > 100', exactlyOnce })
      results.push(
        [one, two, three, array, none].map(({ command, rowCount, rows, fields }) => [
          command,
          rowCount,
          rows,
          fields.map(({ name }) => name),
        ]),
      )
    }
    expect(results[1]).toEqual(results[0])
  })

  it('has its own types, and values of any size', async () => {
    const pool = await open()
    const note = 'x'.repeat(3_000_000)
    const types = { getTypeParser: () => (value: string) => `<${value.slice(0, 3)}>` }
    const { rows } = await pool.query({
      text: 'insert into kept values (1, $1) returning id, note',
      values: [note],
      types: types,
      exactlyOnce: true,
    })
    expect(rows).toEqual([{ id: '<1>', note: '<xxx>' }])
  })

  it('writes no more to the socket than two chunks: what was sent, and nothing to wait for', async () => {
    const pool = await open()
    await pool.query({ text: 'select 1', exactlyOnce: true })
    let rounds = 0
    pool.on('acquire', (client) => client.connection.on('readyForQuery', () => (rounds += 1)))
    await pool.query({ text: 'insert into kept values (1)', exactlyOnce: true })
    expect(rounds).toBe(1)
  })

  it('passes on what the server says, and what cannot be parsed', async () => {
    const pool = await open()
    await pool.query('insert into kept values (1)')
    expect(await rejection(pool.query({ text: 'insert into kept values (1)', exactlyOnce: true }))).toMatchObject({
      code: '23505',
      constraint: 'kept_pkey',
    })
    const named = { text: 'insert into nowhere values (1)', name: 'nowhere', exactlyOnce: true }
    expect(await rejection(pool.query(named))).toMatchObject({ code: '42P01' })
    expect(await rejection(pool.query(named))).toMatchObject({ code: '42P01' })
    await pool.query('create table nowhere (id int)')
    expect((await pool.query(named)).rowCount).toBe(1)
    await pool.query('drop table nowhere')
    const values = 'no array' as unknown as unknown[]
    expect((await rejection(pool.query({ text: 'select $1', values, exactlyOnce: true }))).message).toContain(
      'must be an array',
    )
  })

  it('calls back', async () => {
    const pool = await open()
    const told = await new Promise<unknown[]>((resolve) => {
      const query: pg.QueryConfig = { text: 'insert into kept values ($1) returning id' }
      const marked = { ...query, exactlyOnce: true }
      const returned: unknown = pool.query(marked as never, [7], (error: Error, result: pg.QueryResult) =>
        resolve([returned, error, result.rows]),
      )
    })
    expect(told).toEqual([undefined, undefined, [{ id: 7 }]])
    const failed = await new Promise((resolve) => {
      pool.query({ text: 'vacuum', exactlyOnce: true } as pg.QueryConfig, (error) => resolve(error.name))
    })
    expect(failed).toBe('UnsupportedStatementError')
  })

  it.each([
    ['vacuum', /it is for one SELECT/],
    ['call burn(1)', /it is for one SELECT/],
    ['copy kept from stdin', /it is for one SELECT/],
    ['insert into kept values (1); insert into kept values (2)', /several statements/],
    ['begin', /it is for one SELECT/],
    ['', /it is for one SELECT/],
  ])('refuses %j, and sends nothing', async (text, why) => {
    const pool = await open()
    const error = await rejection(pool.query({ text, exactlyOnce: true }))
    expect(error).toMatchObject({ name: 'UnsupportedStatementError', code: '0A000' })
    expect(error.message).toMatch(why)
    expect(pool.totalCount).toBe(0)
  })

  it('refuses pages, and objects with a life of their own', async () => {
    const pool = await open()
    const paged = { text: 'select 1', rows: 10, exactlyOnce: true } as pg.QueryConfig
    expect((await rejection(pool.query(paged))).message).toContain('rows fetches page by page')
    const own = Object.assign(new EventEmitter(), { submit: () => undefined, text: 'select 1', exactlyOnce: true })
    expect((await rejection(pool.query(own as never))).message).toContain('cannot carry a witness')
  })

  it('ends its wait for its signal', async () => {
    const pool = await open()
    const reason = new Error('enough')
    const text = 'insert into kept values (1)'
    expect(await rejection(pool.query({ text, exactlyOnce: true, signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(await kept()).toEqual([])
  })
})

describe('exactlyOnce when the connection is lost', () => {
  /** The first connection that a statement goes over is cut at this point; how often the statement was sent. */
  async function cutWhen(event: 'commandComplete' | 'dataRow', how: 'cut' | 'end'): Promise<number> {
    const pool = following({ monitor: { intervalMillis: 250 } })
    await pool.query({ text: 'select 1', exactlyOnce: true })
    let sent = 0
    pool.on('acquire', (client) => {
      const { connection } = client
      const parse = connection.parse.bind(connection)
      let isFirst = false
      connection.parse = (query: { text: string }, more: never) => {
        if (query.text.startsWith('insert')) isFirst = (sent += 1) === 1
        parse(query as never, more)
      }
      let seen = 0
      connection.prependListener(event, () => {
        seen += 1
        // The first is that of the witness.
        if (isFirst && seen === 2) connection.stream[how === 'cut' ? 'destroy' : 'end']()
      })
    })
    const { rows } = await pool.query({ text: 'insert into kept values (1) returning id', exactlyOnce: true })
    expect(rows).toEqual([{ id: 1 }])
    expect(await kept()).toEqual([1])
    return sent
  }

  it('looks up what was complete, and answers with what the server had answered', async () => {
    expect(await cutWhen('commandComplete', 'cut')).toBe(1)
  })

  it('says that it is committed where it is, and the rows did not come through', async () => {
    const proxy = await FaultProxy.start((await cluster().primary()).port, { reads: true })
    const { pool } = throughProxy(proxy)
    await pool.query({ text: 'select 1', exactlyOnce: true })
    // In the middle of the answer: the row of the witness has come through.
    proxy.cutBehind('D')
    const statement = { text: `insert into kept values (1) returning id, repeat('x', 200)`, exactlyOnce: true }
    const answered = rejection(pool.query(statement))
    await poll(() => pool.topology.leader === undefined, { what: 'the connection is lost', intervalMillis: 1 })
    proxy.heal()
    const error = await answered
    expect(error).toMatchObject({ name: 'ResultLostError', code: '08006', outcome: 'committed' })
    expect(await kept()).toEqual([1])
    await pool.end()
    await proxy.close()
  })

  it('through a proxy an end says nothing, and the leader is asked', async () => {
    const primary = await cluster().primary()
    const proxy = await FaultProxy.start(primary.port)
    const { pool } = throughProxy(proxy)
    await pool.query({ text: 'select 1', exactlyOnce: true })
    const answered = pool.query({
      text: 'insert into kept select 1 from pg_sleep(0.3) returning id',
      exactlyOnce: true,
    })
    const isRunning = `select pid from pg_stat_activity where query like '%pg_sleep(0.3)%' and pid <> pg_backend_pid()`
    await poll(async () => (await primary.query(isRunning)).length > 0, { what: 'it runs' })
    proxy.reset()
    const outcome = await answered.then(
      () => 'known',
      (error: unknown) => (error as Error).name,
    )
    await poll(
      async () => (await primary.query(isRunning.replace('where', `where state = 'active' and`))).length === 0,
      { what: 'it is over' },
    )
    const rows = await kept()
    expect(rows.length).toBeLessThanOrEqual(1)
    if (outcome === 'known') expect(rows).toEqual([1])
    await pool.end()
    await proxy.close()
  })
})

function throughProxy({ port }: FaultProxy) {
  const { user, password, database } = cluster()
  const hosts = [{ host: '127.0.0.1', port }]
  return makePool({ hosts, user, password, database, targetSessionAttrs: 'read-write', max: 1 })
}

describe('the pool’s own option', () => {
  it('gives a witness to what writes, a Flush to what reads, nothing to the rest', async () => {
    const pool = following({ exactlyOnce: true, max: 1 })
    const texts: string[] = []
    let flushes = 0
    pool.on('connect', ({ connection }) => {
      const parse = connection.parse.bind(connection)
      connection.parse = (query: { text: string }, more: never) => {
        texts.push(query.text)
        parse(query as never, more)
      }
      const flush = connection.flush.bind(connection)
      connection.flush = () => {
        flushes += 1
        flush()
      }
    })
    const seen: unknown[] = []
    const run = async (query: object | string): Promise<void> => {
      texts.length = flushes = 0
      await pool.query(query as never)
      seen.push([texts.some((text) => text.includes('pg_logical_emit_message')), flushes])
    }
    await run('insert into kept values (1)')
    await run({ text: 'update kept set note = $1', values: ['x'] })
    await run('select 1')
    await run('with a as (select 1) select * from a')
    await run('vacuum')
    await run('begin; select 1; commit')
    await run({ text: 'delete from kept', exactlyOnce: false })
    await run({ text: 'select 1', readOnly: true })
    await run({ text: 'select 1', exactlyOnce: true })
    expect(seen).toEqual([
      [true, 1],
      [true, 1],
      [false, 1],
      [false, 1],
      [false, 0],
      [false, 0],
      [false, 0],
      [false, 0],
      [true, 1],
    ])
  })

  it('must be true or false', () => {
    expect(() => following({ exactlyOnce: 'yes' as never })).toThrow('exactlyOnce must be true or false, not "yes"')
  })
})
