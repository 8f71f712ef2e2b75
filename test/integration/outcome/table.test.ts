import { describe, expect, it } from 'vitest'
import type pg from 'pg'
import type { Pool, PoolConfig } from '../../../src/index'
import { outcomeTable } from '../../../src/index'
import { aStandby, useCluster } from '../pool/support/clusters'
import { rejection, usePools } from '../pool/support/pools'
import { useKept } from './support/kept'
import { record as recordSent } from './support/record'
import { useMarkers } from './support/markers'

const cluster = useCluster({ hosts: 2 })
const makePool = usePools()
const kept = useKept(cluster)
const markers = useMarkers(cluster)

const open = (config: PoolConfig = {}): Pool =>
  makePool({ connectionString: cluster().connectionString(), outcome: { table: 'markers' }, max: 2, ...config }).pool

const ofOneHost = async (config: PoolConfig = {}): Promise<Pool> =>
  open({ connectionString: cluster().connectionStringFor(await cluster().primary()), ...config })

const record = (client: pg.PoolClient): string[] =>
  recordSent(client, 'marker', (text) => text.startsWith('insert into public.markers'))

/** Does something as a role of its own, with these rights. */
async function asRole(rights: string, work: (config: PoolConfig) => Promise<void>): Promise<void> {
  const primary = await cluster().primary()
  await primary.query(`create role other login password $$other$$; grant all on kept to other; ${rights}`)
  const hosts = cluster().hosts.map(({ host, port }) => ({ host, port }))
  const { database } = cluster()
  try {
    await work({ connectionString: undefined, hosts, user: 'other', password: 'other', database })
  } finally {
    await primary.query('drop owned by other cascade; drop role other')
  }
}

describe.each([
  ['a pool that follows', () => Promise.resolve(open())],
  ['a pool of one host', () => ofOneHost()],
])('outcome: { table }, on %s', (_kind, make) => {
  it('has a transaction write a marker in the same message as its BEGIN', async () => {
    const pool = await make()
    const chunks: unknown[] = []
    await pool.transaction(async (client) => {
      const { stream } = client.connection
      const write = stream.write.bind(stream) as (...args: unknown[]) => boolean
      stream.write = ((...args: unknown[]) => {
        chunks.push(args[0])
        return write(...args)
      }) as typeof stream.write
      await client.query('insert into kept values (1)')
    })
    expect(chunks).toHaveLength(2)
    expect(await kept()).toEqual([1])
    expect(await markers()).toMatchObject([{ committed: true }])
  })

  it('has one that only reads, or is rolled back, leave none', async () => {
    const pool = await make()
    await pool.transaction((client) => client.query('select 1'), { readOnly: true })
    await rejection(pool.transaction((client) => client.query('select 1 / 0')))
    await rejection(pool.query({ text: 'select 1 / 0', exactlyOnce: true }))
    expect(await markers()).toEqual([])
  })

  it('has a statement that is executed exactly once write one, and answers as it would without', async () => {
    const pool = await make()
    const insert = { text: 'insert into kept values ($1) returning id', name: 'add', exactlyOnce: true }
    expect(await pool.query(insert, [1])).toMatchObject({ command: 'INSERT', rowCount: 1, rows: [{ id: 1 }] })
    expect((await pool.query(insert, [2])).rows).toEqual([{ id: 2 }])
    expect(await rejection(pool.query(insert, [2]))).toMatchObject({ code: '23505', constraint: 'kept_pkey' })
    expect(await markers()).toHaveLength(2)
  })

  it('has a COMMIT write one, in one message, and answers as the server does', async () => {
    const client = await (await make()).connect()
    const sent = record(client)
    await client.query('begin')
    await client.query('insert into kept values (1)')
    expect(await client.query('COMMIT')).toMatchObject({ command: 'COMMIT', rowCount: null, rows: [] })
    expect(sent).toEqual(['savepoint pg_leader', 'marker', 'flush', 'COMMIT', 'sync'])
    client.release()
    expect([await kept(), await markers()]).toMatchObject([[1], [{ committed: true }]])
  })
})

describe('a COMMIT with a marker', () => {
  it('of a transaction that wrote nothing writes nothing, and gets no id', async () => {
    const client = await open().connect()
    const xid = async (): Promise<unknown> =>
      (await client.query<{ xid: string }>('select pg_snapshot_xmax(pg_current_snapshot())::text as xid')).rows[0]?.xid
    const before = await xid()
    await client.query('begin')
    await client.query('select * from kept')
    expect((await client.query('commit')).command).toBe('COMMIT')
    expect(await xid()).toBe(before)
    client.release()
    expect(await markers()).toEqual([])
  })

  it('of a READ ONLY transaction is one, before anything that was sent behind it, and what it SET stays', async () => {
    const client = await open().connect()
    const sent = record(client)
    await client.query('begin read only')
    await client.query("set work_mem = '1234kB'")
    await client.query('declare held cursor with hold for select 7 as seven')
    const [committed, behind] = await Promise.all([
      client.query('commit'),
      client.query<{ work_mem: string }>('show work_mem'),
    ])
    expect(committed).toMatchObject({ command: 'COMMIT', rows: [] })
    expect(behind.rows).toEqual([{ work_mem: '1234kB' }])
    expect((await client.query('fetch from held')).rows).toEqual([{ seven: 7 }])
    expect(sent).toEqual([
      'savepoint pg_leader',
      'marker',
      'flush',
      'commit',
      'sync',
      'rollback to savepoint pg_leader',
      'select txid_current_if_assigned()::text as xid',
      'flush',
      'commit',
      'sync',
    ])
    client.release()
  })

  it('goes without one as a role that may not write it', async () => {
    await (await cluster().primary()).query('create role limited; grant all on kept to limited')
    const client = await open().connect()
    await client.query('begin')
    await client.query('set local role limited')
    await client.query('insert into kept values (1)')
    expect((await client.query('commit')).command).toBe('COMMIT')
    client.release()
    expect([await kept(), await markers()]).toEqual([[1], []])
    await (await cluster().primary()).query('drop owned by limited; drop role limited')
  })

  it('fails as the server says, and leaves none', async () => {
    const pool = open()
    await pool.query('alter table kept add column next int references kept deferrable initially deferred')
    const client = await pool.connect()
    await client.query('begin')
    await client.query('insert into kept (id, next) values (1, 7)')
    expect(await rejection(client.query('commit'))).toMatchObject({ code: '23503' })
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    client.release()
    expect(await markers()).toEqual([])
  })

  it('leaves savepoints of the application alone, whatever they are called', async () => {
    const client = await open().connect()
    await client.query('begin')
    await client.query('insert into kept values (1)')
    await client.query('savepoint pg_leader')
    await client.query('insert into kept values (2)')
    await client.query('rollback to savepoint pg_leader')
    await client.query('insert into kept values (3)')
    expect((await client.query('commit')).command).toBe('COMMIT')
    client.release()
    expect(await kept()).toEqual([1, 3])
  })

  it('puts no serializable transaction in the way of another one', async () => {
    const pool = open()
    const [a, b] = [await pool.connect(), await pool.connect()]
    for (const [id, client] of [a, b].entries()) {
      await client.query('begin isolation level serializable')
      await client.query('insert into kept values ($1)', [id])
    }
    await Promise.all([a.query('commit'), b.query('commit')])
    a.release()
    b.release()
    await Promise.all(
      [2, 3].map((id) =>
        pool.transaction((client) => client.query('insert into kept values ($1)', [id]), { isolation: 'serializable' }),
      ),
    )
    expect([await kept(), await markers()]).toMatchObject([[0, 1, 2, 3], { length: 4 }])
  })
})

describe('the table of markers', () => {
  it('that is not there is an error that says what to do, at once, and none any more when it is there', async () => {
    await (await cluster().primary()).query('drop table markers')
    const pool = open()
    const calls = [
      () => pool.transaction((client) => client.query('insert into kept values (1)')),
      () => pool.query({ text: 'insert into kept values (2)', exactlyOnce: true }),
      () => pool.connect(),
      () => pool.query('select 1'),
    ]
    for (const error of await Promise.all(calls.map((call) => rejection(call())))) {
      expect(error).toMatchObject({ name: 'ConnInfoError', cause: { code: '42P01' } })
      expect(error.message).toMatch(/^outcome\.table is "markers", and no marker can be written to public\.markers on /)
      expect(error.message).toContain(
        'relation "public.markers" does not exist. Create it with the statements that outcomeTable',
      )
    }
    expect(pool.topology.leader).toBeDefined()
    await (await cluster().primary()).query(outcomeTable('markers'))
    await calls[0]?.()
    expect([await kept(), await markers()]).toMatchObject([[1], { length: 1 }])
  })

  it('that goes away later is an error of every call that needs it', async () => {
    const pool = open()
    await pool.query('drop table markers')
    const transaction = pool.transaction((client) => client.query('insert into kept values (1)'))
    expect(await rejection(transaction)).toMatchObject({ name: 'ConnInfoError', cause: { code: '42P01' } })
    const once = pool.query({ text: 'insert into kept values (2)', exactlyOnce: true })
    expect(await rejection(once)).toMatchObject({ name: 'ConnInfoError', cause: { code: '42P01' } })
    expect(await kept()).toEqual([])
  })

  it.each(['select, insert, update', 'select, insert, delete', 'select, update, delete', 'insert, update, delete'])(
    'takes all four rights: with %s alone it says so',
    async (rights) => {
      await asRole(`grant ${rights} on markers to other`, async (config) => {
        const error = await rejection(open(config).connect())
        expect(error).toMatchObject({ name: 'ConnInfoError', cause: { code: '42501' } })
        expect(error.message).toContain('grant select, insert, update and delete on it to the role of this pool')
      })
    },
  )

  it('without its key, or a column, is none', async () => {
    const primary = await cluster().primary()
    await primary.query('alter table markers drop constraint markers_pkey')
    expect(await rejection(open().connect())).toMatchObject({ name: 'ConnInfoError', cause: { code: '42P10' } })
    await primary.query('alter table markers drop column committed')
    expect(await rejection(open().connect())).toMatchObject({ name: 'ConnInfoError', cause: { code: '42703' } })
  })

  it('is the same one wherever search_path points', async () => {
    await asRole('grant all on markers to other', async (config) => {
      const primary = await cluster().primary()
      await primary.query(`create schema other authorization other; alter role other set search_path = other, public;
        ${outcomeTable('other.markers')} grant all on other.markers to other`)
      const pool = open(config)
      await pool.transaction((client) => client.query('insert into kept values (1)'))
      expect(await pool.query('select from other.markers')).toMatchObject({ rowCount: 0 })
      expect(await markers()).toHaveLength(1)
    })
  })

  it('has the name that it was given', async () => {
    const table = 'odd."My ""markers"" -- x"'
    const primary = await cluster().primary()
    await primary.query(`create schema odd; ${outcomeTable(table)} ${outcomeTable(table)}`)
    await open({ outcome: { table } }).transaction((client) => client.query('insert into kept values (1)'))
    expect(await primary.query(`select from ${table}`)).toHaveLength(1)
    expect(await primary.query(`select indexname from pg_indexes where schemaname = 'odd' order by 1`)).toEqual([
      { indexname: 'My "markers" -- x_pkey' },
      { indexname: 'My "markers" -- x_written_at_idx' },
    ])
    await primary.query('drop schema odd cascade')
  })

  it('is not written to on a standby, which is used as ever', async () => {
    const pool = open({ connectionString: cluster().connectionStringFor(await aStandby(cluster())) })
    const client = await pool.connect()
    await client.query('begin')
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    expect((await client.query('commit')).command).toBe('COMMIT')
    client.release()
    const refused = pool.transaction((each) => each.query('select 1'))
    expect(await rejection(refused)).toMatchObject({ code: '25006' })
  })
})
