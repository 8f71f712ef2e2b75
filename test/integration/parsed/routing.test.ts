import pg from 'pg'
import Cursor from 'pg-cursor'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { primary as onPrimary, readOnly, session } from '../../../src/index'
import type { Pool } from '../../../src/index'
import { loadParser } from '../../../src/parser'
import type { StatementParser } from '../../../src/parser'
import { poll } from '../../support'
import { aStandby, heal, useCluster } from '../pool/support/clusters'
import { rejection, usePools } from '../pool/support/pools'
import { Recorder, sent } from './support/recorder'

const cluster = useCluster({ hosts: 2 })
const makePool = usePools()
let parser: StatementParser

beforeAll(async () => {
  parser = await loadParser()
  await (
    await cluster().primary()
  ).query(`create table t (id int); insert into t values (1), (2); create table written (id int);
    create function writes() returns int language plpgsql as $$ begin insert into written values (1); return 1; end $$;
    create view v_writes as select writes() as n`)
})

beforeEach(() => heal(cluster()))

/** A pool that knows the standby. */
async function open(config: object = {}, reads: object = {}): Promise<Pool> {
  const { pool } = makePool({
    connectionString: cluster().connectionString(),
    Client: Recorder,
    failoverTimeoutMillis: 20_000,
    ...config,
    readOnly: { routeReads: 'parsed', parser, ...reads },
  })
  await pool.query('insert into written values (0)')
  await poll(() => pool.topology.hosts.some(({ role }) => role === 'standby'), { what: 'the standby has answered' })
  await cluster().waitForReplication()
  return pool
}

/** Where a text goes that is asked in this way. */
async function wayOf(ask: () => Promise<unknown>, text: string): Promise<readonly string[]> {
  const { port: leader } = await cluster().primary()
  sent.length = 0
  await ask()
  return sent.filter((each) => each.text === text).map(({ port }) => (port === leader ? 'leader' : 'standby'))
}

const text = 'select id from t order by id'

describe('an unmarked read goes to a standby', () => {
  it('in all forms of pool.query', async () => {
    const pool = await open()
    const forms: (() => Promise<{ rows: unknown[] }>)[] = [
      () => pool.query(text),
      () => pool.query({ text }),
      () => pool.query({ text, values: [] }),
      () => pool.query({ name: 'named', text }),
      () => new Promise((resolve, reject) => pool.query(text, (e, result) => (e ? reject(e) : resolve(result)))),
      () => new Promise((resolve, reject) => pool.query(text, [], (e, result) => (e ? reject(e) : resolve(result)))),
    ]
    for (const ask of forms) {
      let found: unknown
      expect(await wayOf(async () => (found = (await ask()).rows), text)).toEqual(['standby'])
      expect(found).toEqual([{ id: 1 }, { id: 2 }])
    }
    const arrays = await pool.query({ text, rowMode: 'array' })
    expect(arrays.rows).toEqual([[1], [2]])
  })

  it('with the promises that the pool was told to make', async () => {
    class Chosen<T> extends Promise<T> {}
    const pool = await open({ Promise: Chosen })
    const asked = pool.query(text)
    expect(asked).toBeInstanceOf(Chosen)
    expect((await asked).rows).toHaveLength(2)
    expect(await rejection(pool.query('select nothing from t'))).toMatchObject({ code: '42703' })
  })

  it('with exactlyOnce as an option of the pool, which it needs not', async () => {
    const pool = await open({ exactlyOnce: true })
    expect(await wayOf(() => pool.query(text), text)).toEqual(['standby'])
  })
})

describe('to the leader goes', () => {
  it('whatever is marked otherwise, or asked in primary()', async () => {
    const pool = await open()
    for (const mark of [{ readOnly: false }, { idempotent: true }, { exactlyOnce: true }]) {
      const ways = await wayOf(() => pool.query({ text, ...mark }), text)
      expect(ways).not.toContain('standby')
    }
    expect(await wayOf(() => onPrimary(() => pool.query(text)), text)).toEqual(['leader'])
    expect(await wayOf(() => onPrimary(() => pool.query({ text, readOnly: true })), text)).toEqual(['standby'])
  })

  it('everything of a transaction, and what is asked of the pool meanwhile', async () => {
    const pool = await open()
    const ask = (): Promise<unknown> =>
      pool.transaction(async (client) => {
        await client.query(text)
        await pool.query(text)
      })
    expect(await wayOf(ask, text)).toEqual(['leader', 'leader'])
    const client = await pool.connect()
    expect(await wayOf(() => client.query(text), text)).toEqual(['leader'])
    client.release()
  })

  it('everything, once a transaction was begun where every statement is one', async () => {
    const pool = await open({ max: 1 })
    await pool.query('begin')
    await pool.query('insert into t values (3)')
    let found: unknown
    expect(await wayOf(async () => (found = (await pool.query(text)).rows), text)).toEqual(['leader'])
    expect(found).toHaveLength(3)
    await pool.query('rollback')
    expect(await wayOf(() => pool.query(text), text)).toEqual(['leader'])
  })

  it('what brings its own way of being sent', async () => {
    const pool = await open()
    const query = new pg.Query(text) as pg.Query & { submit: unknown }
    sent.length = 0
    await new Promise((resolve, reject) => {
      query.on('end', resolve)
      query.on('error', reject)
      pool.query(query)
    })
    const client = await pool.connect()
    const cursor = client.query(new Cursor(text))
    expect(await cursor.read(10)).toHaveLength(2)
    await cursor.close()
    client.release()
    const { port } = await cluster().primary()
    expect(new Set(sent.map((each) => each.port))).toEqual(new Set([port]))
  })

  it('everything, without the option', async () => {
    const { pool } = makePool({
      connectionString: cluster().connectionString(),
      Client: Recorder,
      readOnly: { parser },
    })
    await pool.query(text)
    await poll(() => pool.topology.hosts.some(({ role }) => role === 'standby'), { what: 'the standby has answered' })
    expect(await wayOf(() => pool.query(text), text)).toEqual(['leader'])
  })

  it.each(['primary', 'error'])('everything, while there is no standby; fallback: %s', async (fallback) => {
    const pool = await open({}, { fallback })
    expect(await wayOf(() => pool.query(text), text)).toEqual(['standby'])
    const primary = await cluster().primary()
    await cluster()
      .hosts.find((host) => host !== primary)!
      .kill()
    // The first of them finds the standby gone, and no caller waits until that is certain.
    const rows = await Promise.all(Array.from({ length: 10 }, async () => (await pool.query(text)).rows))
    expect(rows.every((each) => each.length === 2)).toBe(true)
    await poll(() => pool.topology.hosts.every(({ role }) => role !== 'standby'), { what: 'the standby is gone' })
    // In a session that may write: what is no read after all must not be refused.
    const shown = `select v.n from v_writes v`
    expect(await wayOf(() => pool.query(shown), shown)).toEqual(['leader'])
  })
})

describe('what a standby refuses', () => {
  it('is done by the leader once, and remembered with all its like', async () => {
    const pool = await open()
    const count = async (): Promise<unknown> =>
      (await pool.query(`select count(*)::int as n from written where id = 1`)).rows
    const [before] = (await onPrimary(count)) as [{ n: number }]
    const first = `select n, 'a' as x from v_writes`
    expect(await wayOf(() => pool.query(first), first)).toEqual(['standby', 'leader'])
    expect(await onPrimary(count)).toEqual([{ n: before.n + 1 }])
    const second = `select n,   'b' as x from v_writes -- again`
    expect(await wayOf(() => pool.query(second), second)).toEqual(['leader'])
    expect(await wayOf(() => pool.query(first), first)).toEqual(['leader'])
    expect(await onPrimary(count)).toEqual([{ n: before.n + 3 }])
  })

  it('is done by the leader as it would have been: in the caller’s context, with what the pool promises for writes', async () => {
    const pool = await open({ exactlyOnce: true })
    const told = await session(
      () =>
        new Promise((resolve) =>
          pool.query('select n, 1 as one from v_writes', (error, result) => resolve([error, result.rows])),
        ),
    )
    expect(told).toEqual([undefined, [{ n: 1, one: 1 }]])
  })

  it('is the answer where it was marked', async () => {
    const pool = await open()
    const marked = 'select n as marked from v_writes'
    expect(await rejection(pool.query({ text: marked, readOnly: true }))).toMatchObject({ code: '25006' })
    expect(await rejection(readOnly(() => pool.query(marked)))).toMatchObject({ code: '25006' })
  })
})

describe('what a standby does not know yet', () => {
  it('is asked of the leader, and of the standby again once it may know it', async () => {
    const pool = await open()
    const standby = await aStandby(cluster())
    await standby.query('select pg_wal_replay_pause()')
    const created = 'select * from created_meanwhile'
    try {
      await pool.query('create table created_meanwhile (id int)')
      expect(await wayOf(() => pool.query(created), created)).toEqual(['standby', 'leader'])
    } finally {
      await standby.query('select pg_wal_replay_resume()')
    }
    await cluster().waitForReplication()
    expect(await wayOf(() => pool.query(created), created)).toEqual(['standby'])
    await pool.query('drop table created_meanwhile')
  })

  it('goes to the leader in a session that has written it', async () => {
    const pool = await open()
    const standby = await aStandby(cluster())
    await standby.query('select pg_wal_replay_pause()')
    try {
      await session(async () => {
        await pool.query('insert into t values (7)')
        const ids = 'select id from t where id = 7'
        let found: unknown
        expect(await wayOf(async () => (found = (await pool.query(ids)).rows), ids)).toEqual(['leader'])
        expect(found).toEqual([{ id: 7 }])
      })
    } finally {
      await standby.query('select pg_wal_replay_resume()')
      await pool.query('delete from t where id = 7')
    }
  })
})

describe('what no text shows', () => {
  // Not what anybody would want, but what there is: said in the documentation of the option.
  it('a view may take a lock, which holds on the host that it was read on', async () => {
    const pool = await open()
    await pool.query('create view v_locks as select pg_try_advisory_xact_lock(1) as got')
    await cluster().waitForReplication()
    const locks = 'select got from v_locks'
    expect(await wayOf(() => pool.query(locks), locks)).toEqual(['standby'])
    await pool.query('drop view v_locks')
  })

  it('a relation may be a sequence, of which a standby knows where it will be', async () => {
    const pool = await open()
    await pool.query('create sequence counted')
    await pool.query(`select nextval('counted')`)
    await cluster().waitForReplication()
    const shown = 'select * from counted'
    expect(await wayOf(() => pool.query(shown), shown)).toEqual(['standby'])
    await pool.query('drop sequence counted')
  })
})

it('reads go on while there is no leader', async () => {
  const pool = await open()
  const primary = await cluster().primary()
  await primary.stop('immediate')
  const rows = await Promise.all(Array.from({ length: 20 }, async () => (await pool.query(text)).rows))
  expect(rows.every((each) => each.length === 2)).toBe(true)
})
