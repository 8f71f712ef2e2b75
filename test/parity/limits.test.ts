import { afterAll, beforeAll, expect } from 'vitest'
import type pg from 'pg'
import { FaultProxy } from '../support'
import { pgPackage } from './support/implementations'
import { parity } from './support/parity'
import { useServer } from './support/server'
import { next, rejection, until } from './support/until'

const server = useServer()
/** Accepts connections and never says a word, as a frozen server does. */
let mute: FaultProxy
beforeAll(async () => {
  mute = await FaultProxy.start(0)
  mute.mute()
})
afterAll(() => mute.close())

const pidOf = async (from: pg.Pool | pg.PoolClient): Promise<number> =>
  (await from.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid

parity(server, 'connectionTimeoutMillis while waiting for a client', async (subject) => {
  const pool = subject.pool({ max: 1, connectionTimeoutMillis: 400 })
  const held = await pool.connect()
  const error = await rejection(pool.connect())
  expect(error.message).toBe('timeout exceeded when trying to connect')
  subject.note('promise', error)
  subject.counts(pool)
  await new Promise<void>((resolve) => {
    pool.connect((...args: unknown[]) => {
      subject.note('callback', args[0], args[1])
      resolve()
    })
  })
  subject.note('query', await rejection(pool.query('select 1')))
  expect(pool.waitingCount).toBe(0)
  held.release()
  expect((await pool.query('select 1 as n')).rows).toEqual([{ n: 1 }])
  expect(pool.totalCount).toBe(1)
  await pool.end()
})

parity(server, 'a waiter that timed out is passed over', async (subject) => {
  const pool = subject.pool({ max: 1, connectionTimeoutMillis: 300 })
  const held = await pool.connect()
  const first = rejection(pool.connect())
  await first
  const second = pool.connect()
  held.release()
  const client = await second
  expect(client).toBe(held)
  client.release()
  await pool.end()
})

parity(
  server,
  'connectionTimeoutMillis while connecting to a host that says nothing',
  async (subject) => {
    const pool = subject.pool({ port: mute.port, connectionTimeoutMillis: 200 })
    const error = await rejection(pool.connect())
    if (subject.following) {
      expect(error.name).toBe('HostSelectionTimeoutError')
      expect(error.code).toBe('08001')
    } else {
      expect(['Connection terminated due to connection timeout', 'timeout expired']).toContain(error.message)
    }
    // which of two timers of one length fires first decides how pg puts it, and what it keeps as the cause
    subject.note('promise', error.name)
    subject.counts(pool)
    await new Promise<void>((resolve) => {
      pool.connect((given, client, done) => {
        subject.note('callback', given?.name, client, typeof done)
        resolve()
      })
    })
    subject.note('query', (await rejection(pool.query('select 1'))).name)
    subject.counts(pool)
    await pool.end()
  },
  { following: 'no leader was found: the error says so, and of which host' },
)

parity(
  server,
  'the next in the queue gets its turn after one that could not connect',
  async (subject) => {
    const broken = new Error('vault is sealed')
    let asked = 0
    const pool = subject.pool({
      max: 1,
      password: () => {
        if (asked++ === 0) throw broken
        return server.options.password
      },
    })
    const [first, second] = await Promise.allSettled([pool.query('select 1 as n'), pool.query('select 2 as n')])
    expect(first).toEqual({ status: 'rejected', reason: broken })
    if (!subject.following) expect(second).toMatchObject({ status: 'fulfilled', value: { rows: [{ n: 2 }] } })
    expect((await pool.query('select 3 as n')).rows).toEqual([{ n: 3 }])
    expect(pool.totalCount).toBe(1)
    await pool.end()
  },
  { following: 'the session that watches the host asks for the password too, and its failure is told to all who wait' },
)

parity(server, 'idleTimeoutMillis removes an idle client', async (subject) => {
  const pool = subject.pool({ idleTimeoutMillis: 10 })
  subject.watch(pool)
  const removed = next(pool, 'remove')
  await pool.query('select 1')
  await removed
  subject.counts(pool)
  await pool.end()
})

/** The pg-pool of pg 8.16 looks at `min` when a client is released, not when its time is up. */
const keepsMin = pgPackage === 'pg'

parity(server, 'idleTimeoutMillis keeps min clients', async (subject) => {
  const pool = subject.pool({ idleTimeoutMillis: 10, min: 1, max: 3 })
  let removed = 0
  pool.on('remove', () => {
    removed++
  })
  const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()])
  for (const client of clients) client.release()
  const kept = keepsMin ? 1 : 0
  await until(() => removed === 3 - kept)
  subject.counts(pool)
  expect(pool.idleCount).toBe(kept)
  await pool.end()
})

parity(server, 'a client in use is not idle', async (subject) => {
  const pool = subject.pool({ idleTimeoutMillis: 20 })
  const client = await pool.connect()
  await client.query('select pg_sleep(0.2)')
  expect((await client.query('select 1 as n')).rows).toEqual([{ n: 1 }])
  const removed = next(pool, 'remove')
  client.release()
  expect(pool.idleCount).toBe(1)
  await removed
  await pool.end()
})

parity(server, 'min opens nothing by itself', async (subject) => {
  const pool = subject.pool({ min: 2 })
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect([pool.totalCount, pool.idleCount]).toEqual([0, 0])
  await pool.end()
})

parity(server, 'maxUses counts releases', async (subject) => {
  const pool = subject.pool({ max: 1, maxUses: 2 })
  subject.watch(pool)
  const seen = new Set<number>()
  for (let round = 0; round < 2; round++) {
    const removed = next(pool, 'remove')
    const first = await pidOf(pool)
    subject.counts(pool)
    expect(await pidOf(pool)).toBe(first)
    subject.counts(pool)
    await removed
    seen.add(first)
  }
  expect(seen.size).toBe(2)
  await pool.end()
})

parity(server, 'maxUses with somebody waiting', async (subject) => {
  const pool = subject.pool({ max: 1, maxUses: 1 })
  const pids = await Promise.all([pidOf(pool), pidOf(pool), pidOf(pool)])
  expect(new Set(pids).size).toBe(3)
  await pool.end()
})

parity(server, 'maxLifetimeSeconds: an idle client goes', async (subject) => {
  const pool = subject.pool({ maxLifetimeSeconds: 0.1 })
  subject.watch(pool)
  const removed = next(pool, 'remove')
  await pool.query('select 1')
  await removed
  subject.counts(pool)
  await pool.end()
})

parity(server, 'maxLifetimeSeconds: a client in use goes when it is released', async (subject) => {
  const pool = subject.pool({ maxLifetimeSeconds: 0.1 })
  const client = await pool.connect()
  await until(() => pool.expiredCount === 1)
  subject.counts(pool)
  expect((await client.query('select 1 as n')).rows).toEqual([{ n: 1 }])
  const removed = next(pool, 'remove').then(() => 'removed')
  client.release()
  subject.counts(pool)
  expect(await removed).toBe('removed')
  await pool.end()
})

parity(server, 'never more connections than max', async (subject) => {
  const name = `parity max ${subject.name}`
  const pool = subject.pool({ max: 3, application_name: name })
  let peak = 0
  await Promise.all(
    Array.from({ length: 12 }, async () => {
      const { rows } = await pool.query<{ n: number }>(
        'select count(*)::int as n, pg_sleep(0.01) from pg_stat_activity where application_name = $1',
        [name],
      )
      peak = Math.max(peak, rows[0]!.n, pool.totalCount)
    }),
  )
  expect(peak).toBeGreaterThan(0)
  // the session that watches the host of a pool that follows is not one of the pool's
  expect(peak).toBeLessThanOrEqual(subject.following ? 4 : 3)
  expect(pool.totalCount).toBe(3)
  await pool.end()
})

parity(server, 'after end no connection is left', async (subject) => {
  const name = `parity end ${subject.name}`
  const pool = subject.pool({ max: 3, application_name: name })
  await Promise.all([1, 2, 3].map(() => pool.query('select pg_sleep(0.01)')))
  await pool.end()
  const { port } = server.options
  expect(port).toBeGreaterThan(0)
  await until(async () => {
    const found = await server.ask('select pid from pg_stat_activity where application_name = $1', [name])
    return found.length === 0
  })
})

parity(server, 'query_timeout on a pool and on a query', async (subject) => {
  const pool = subject.pool({ max: 1, query_timeout: 100 })
  expect((await rejection(pool.query('select pg_sleep(60)'))).message).toBe('Query read timeout')
  await pool.end()

  const plain = subject.pool({ max: 1 })
  const error = await rejection(plain.query({ text: 'select pg_sleep(60)', query_timeout: 100 } as pg.QueryConfig))
  expect(error.message).toBe('Query read timeout')
  subject.note('rejected', error)
  expect((await plain.query({ text: 'select 1 as n', query_timeout: 20_000 } as pg.QueryConfig)).rows).toEqual([
    { n: 1 },
  ])
  await plain.end()
})

parity(server, 'statement_timeout', async (subject) => {
  const pool = subject.pool({ statement_timeout: 100 })
  const error = await rejection(pool.query('select pg_sleep(60)'))
  expect(error.code).toBe('57014')
  subject.note('rejected', error)
  await pool.end()
})
