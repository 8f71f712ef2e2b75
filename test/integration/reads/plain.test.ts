import { AsyncLocalStorage } from 'node:async_hooks'
import { inspect } from 'node:util'
import pg from 'pg'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { primary as onPrimary, readOnly, session } from '../../../src/index'
import type { Pool, PoolConfig } from '../../../src/index'
import { poll } from '../../support'
import { useCluster } from '../pool/support/clusters'
import { rejection, turn, usePools } from '../pool/support/pools'

const cluster = useCluster({ hosts: 1 })
const makePool = usePools()

const host = () => cluster().hosts[0]!
const credentials = () => ({ user: cluster().user, password: cluster().password, database: cluster().database })

/** Every way to name one host and nothing of ours. */
const ways: Record<string, () => PoolConfig> = {
  'a connection string': () => ({ connectionString: cluster().connectionStringFor(host()) }),
  'a connection string with options of its own': () => ({
    connectionString: cluster().connectionStringFor(host(), { options: '-c work_mem=5MB' }),
  }),
  options: () => ({ host: host().host, port: host().port, options: '-c work_mem=5MB', ...credentials() }),
  'a Unix socket': () => ({ host: host().socketDirectory, port: host().port, ...credentials() }),
  'the environment': () => ({}),
}
const open = (config: PoolConfig = {}): Pool => makePool({ ...ways['a connection string']!(), ...config }).pool

const variables = () => ({
  PGHOST: host().host,
  PGPORT: String(host().port),
  PGUSER: cluster().user,
  PGPASSWORD: cluster().password,
  PGDATABASE: cluster().database,
  PGOPTIONS: '-c work_mem=5MB',
})
afterEach(() => void vi.unstubAllEnvs())

beforeAll(() => host().query('create table written (n int)'))
beforeEach(() => host().query('truncate written'))

const said = `select current_setting('default_transaction_read_only') = 'on' as reads, pg_backend_pid() as pid,
  current_setting('work_mem') as memory`
interface Said {
  reads: boolean
  pid: number
  memory: string
}
const readsIn = async (asked: Promise<{ rows: Said[] }>): Promise<boolean> => (await asked).rows[0]!.reads
const write = 'insert into written values (1)'
const sessions = async (name: string): Promise<number> =>
  (await host().query(`select 1 from pg_stat_activity where application_name = '${name}'`)).length

describe.each(Object.entries(ways))('the reads of a pool of one host, by %s,', (way, config) => {
  it('refuse to write, and nothing else does', async () => {
    if (way === 'the environment') for (const entry of Object.entries(variables())) vi.stubEnv(...entry)
    const { pool } = makePool(config())
    expect(await readsIn(pool.query<Said>(said))).toBe(false)
    const { rows } = await pool.query<Said>({ text: said, readOnly: true })
    const memory = way === 'a connection string' || way === 'a Unix socket' ? '4MB' : '5MB'
    expect(rows).toMatchObject([{ reads: true, memory }])
    expect(await rejection(pool.query({ text: write, readOnly: true }))).toMatchObject({ code: '25006' })
    expect((await pool.query(write)).rowCount).toBe(1)
    expect((await pool.query({ text: 'select n from written', readOnly: true })).rows).toEqual([{ n: 1 }])
    expect(pool.topology.hosts.map(({ role }) => role)).toEqual(['unknown'])
  })
})

describe('a read of a pool of one host is known', () => {
  it('by mark, comment and position, in each of pg’s forms', async () => {
    const pool = open()
    const after = await pool.position()
    expect(after).toMatch(/^1\/[0-9A-F]+\/[0-9A-F]+$/)
    expect(await readsIn(pool.query<Said>({ text: said, readOnly: true }))).toBe(true)
    expect(await readsIn(pool.query<Said>(`/* pg-leader: read-only */ ${said}`))).toBe(true)
    expect(await readsIn(pool.query<Said>({ text: said, after }))).toBe(true)
    expect(await readsIn(pool.query<Said>({ text: said, readOnly: false }))).toBe(false)
    const told = await new Promise<unknown>((resolve) => {
      const marked: pg.QueryConfig = { text: said, ...{ readOnly: true } }
      pool.query(marked, (error, result) => resolve(error ?? result.rows[0]))
    })
    expect(told).toMatchObject({ reads: true })
    expect(await pool.readOnly.query('select $1::int as n', [7])).toMatchObject({ rows: [{ n: 7 }] })
    for (const bad of ['yesterday', 7]) {
      expect(await rejection(pool.query({ text: said, after: bad as string }))).toMatchObject({ name: 'ConnInfoError' })
    }
  })

  it('by the scope, whatever is asked of the pool in there that is not marked otherwise', async () => {
    const pool = open()
    const local = new AsyncLocalStorage<string>()
    await readOnly(async () => {
      expect(await readsIn(pool.query<Said>(said))).toBe(true)
      const client = await pool.connect()
      expect(await readsIn(client.query<Said>(said))).toBe(true)
      client.release()
      const called = await local.run(
        'mine',
        () =>
          new Promise<unknown>((resolve) =>
            pool.connect((error, given, done) => {
              expect(error).toBeUndefined()
              void given!.query<Said>(said).then(({ rows }) => {
                done()
                resolve([rows[0]!.reads, local.getStore()])
              })
            }),
          ),
      )
      expect(called).toEqual([true, 'mine'])
      expect(await onPrimary(() => readsIn(pool.query<Said>(said)))).toBe(false)
      expect(await readsIn(pool.query<Said>({ text: said, readOnly: false }))).toBe(false)
      expect((await pool.query({ text: write, exactlyOnce: true })).rowCount).toBe(1)
      await pool.transaction((own) => own.query(write), { readOnly: false })
      expect(await rejection(pool.transaction((own) => own.query(write)))).toMatchObject({ code: '25006' })
      expect(await pool.position()).toMatch(/^1\//)
    })
    expect(await readsIn(pool.query<Said>(said))).toBe(false)
    expect((await pool.query('select n from written')).rowCount).toBe(2)
  })
})

it('what lets its session write is refused, and what means something else on a standby stays on the one server', async () => {
  const pool = open()
  const locked = `select pg_try_advisory_lock(8) as got, pg_advisory_unlock(8)`
  expect((await pool.readOnly.query(locked)).rows).toMatchObject([{ got: true }])
  for (const reader of [pool, pool.readOnly]) {
    const marked = { text: 'begin read write', readOnly: true }
    expect(await rejection(reader.query(marked))).toMatchObject({ name: 'UnsupportedStatementError' })
  }
  const client = await pool.readOnly.connect()
  expect(await rejection(client.query('begin read write'))).toMatchObject({ name: 'UnsupportedStatementError' })
  const told = await new Promise((resolve) => client.query('set transaction_read_only to off', resolve))
  expect(told).toMatchObject({ name: 'UnsupportedStatementError' })
  await client.query('begin')
  expect(await rejection(client.query(write))).toMatchObject({ code: '25006' })
  await client.query('rollback')
  client.release()
})

it('options that would let it write do not count', async () => {
  const { pool } = makePool({ ...ways['options']!(), options: '-c default_transaction_read_only=off' })
  expect(await readsIn(pool.readOnly.query<Said>(said))).toBe(true)
})

it('a session reads what it has written: there is one server', async () => {
  const pool = open()
  await session(async () => {
    for (let n = 1; n <= 20; n += 1) {
      await pool.query(write)
      expect((await pool.query({ text: 'select n from written', readOnly: true })).rowCount).toBe(n)
      expect((await pool.readOnly.query('select n from written')).rowCount).toBe(n)
    }
  })
})

it('nothing is sent again: a lost connection is the answer, as with all that such a pool is asked', async () => {
  const pool = open()
  pool.readOnly.on('error', () => undefined)
  const { rows } = await pool.query<Said>({ text: said, readOnly: true })
  const sleeping = rejection(pool.query({ text: 'select pg_sleep(60)', readOnly: true }))
  await poll(
    async () => (await host().query(`select 1 from pg_stat_activity where query like 'select pg_sleep%'`))[0],
    {
      what: 'it runs',
    },
  )
  await host().query('select pg_terminate_backend($1)', [rows[0]!.pid])
  expect(await sleeping).toMatchObject({ code: '57P01' })
})

it('an idle session that ends is told to who listens to the view, and ends no process where nobody does', async () => {
  const pool = open({ application_name: 'idle-reader' })
  const view = pool.readOnly
  const lose = async (): Promise<void> => {
    const { rows } = await view.query<Said>(said)
    await host().query('select pg_terminate_backend($1)', [rows[0]!.pid])
    await poll(() => view.totalCount === 0, { what: 'it has gone' })
  }
  await lose()
  const errors: unknown[] = []
  view.on('error', (error) => errors.push(error))
  await lose()
  expect(errors).toMatchObject([{ code: '57P01' }])
})

describe('pool.readOnly of a pool of one host', () => {
  it('costs nothing before somebody reads', async () => {
    const pool = open({ application_name: 'never-read' })
    await pool.query(said)
    expect(pool.readOnly.totalCount).toBe(0)
    expect(await sessions('never-read')).toBe(1)
  })

  it('is a pool of pg’s, with counts and events, whose end ends nothing but itself', async () => {
    const pool = open({ max: 1 })
    const view = pool.readOnly
    expect(pool.readOnly).toBe(view)
    expect(view).toBeInstanceOf(pg.Pool)
    expect(view.constructor.name).toBe('Pool')
    expect(inspect(view, { depth: 9 })).not.toContain(cluster().password)
    const events: string[] = []
    for (const event of ['connect', 'acquire', 'release', 'remove'] as const) view.on(event, () => events.push(event))
    const client = await view.connect()
    const waiting = view.query<Said>(said)
    expect([view.totalCount, view.idleCount, view.waitingCount]).toEqual([1, 0, 1])
    // The pool's own clients are others.
    expect(await readsIn(pool.query<Said>(said))).toBe(false)
    client.release()
    expect(await readsIn(waiting)).toBe(true)
    expect(events).toEqual(['connect', 'acquire', 'release', 'acquire', 'release'])
    await view.end()
    expect((await rejection(view.query('select 1'))).message).toBe('Cannot use a pool after calling end on the pool')
    expect((await rejection(view.end())).message).toBe('Called end on pool more than once')
    expect(await readsIn(pool.query<Said>({ text: said, readOnly: true }))).toBe(true)
  })

  it('has clients that read by themselves, of the class that the pool was given', async () => {
    class Mine extends pg.Client {
      readonly mine = true
    }
    for (const config of [{}, { Client: Mine }]) {
      const { Client, options } = open(config).readOnly as pg.Pool & { Client: typeof pg.Client }
      const client = new Client(options)
      expect('mine' in client).toBe('Client' in config)
      await client.connect()
      expect(await readsIn(client.query<Said>(said))).toBe(true)
      expect(await rejection(client.query('begin read write'))).toMatchObject({ name: 'UnsupportedStatementError' })
      await client.end()
    }
  })

  it('ends with its pool, which waits for the sessions of both; and is over where it is asked for afterwards', async () => {
    const [pool, other] = [open({ application_name: 'both-end' }), open()]
    const view = pool.readOnly
    await Promise.all([view.query(said), view.query(said), pool.query(said)])
    expect(view.totalCount).toBe(2)
    await new Promise<void>((resolve) => pool.end(resolve))
    expect(view).toMatchObject({ totalCount: 0, ended: true })
    await poll(async () => (await sessions('both-end')) === 0, { what: 'no session is left' })
    await other.end()
    for (const ended of [pool, other]) {
      expect(ended.readOnly.ended).toBe(true)
      const words = 'Cannot use a pool after calling end on the pool'
      expect((await rejection(ended.readOnly.query(said))).message).toBe(words)
      expect((await rejection(ended.readOnly.connect())).message).toBe(words)
      expect((await rejection(ended.query({ text: said, readOnly: true }))).message).toBe(words)
      expect(await readOnly(() => rejection(ended.connect()))).toMatchObject({ message: words })
    }
  })

  it('answers those who are held when its pool ends', async () => {
    const pool = open()
    await pool.readOnly.query(said)
    await pool.pause()
    const held = [pool.readOnly.query(said), readOnly(() => pool.connect())].map(rejection)
    await pool.end()
    const words = 'Cannot use a pool after calling end on the pool'
    expect(await Promise.all(held)).toMatchObject([{ message: words }, { message: words }])
  })

  it.each([
    ['that have read before', true],
    ['that have not', false],
  ])('pause() waits for its clients and holds them: of a pool whose readers are some %s', async (_which, early) => {
    const pool = open({ max: 1 })
    const client = early ? await pool.readOnly.connect() : undefined
    let idle = false
    const paused = pool.pause().then(() => (idle = true))
    await host().query('select 1')
    await turn()
    expect(idle).toBe(!early)
    const order: number[] = []
    const reads = [1, 2].map((n) => pool.readOnly.query(said).then(() => order.push(n)))
    const marked = pool.query({ text: said, readOnly: true }).then(() => order.push(3))
    expect(pool.readOnly.waitingCount).toBe(3)
    client?.release()
    await paused
    await host().query('select 1')
    await turn()
    expect(order).toEqual([])
    pool.resume()
    await Promise.all([...reads, marked])
    expect(order).toEqual([1, 2, 3])
    expect(pool.readOnly.waitingCount).toBe(0)
  })
})
