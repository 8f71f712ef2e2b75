import { expect } from 'vitest'
import type pg from 'pg'
import { parity } from './support/parity'
import { useServer } from './support/server'
import { next, rejection, turn, until } from './support/until'

const server = useServer()

const removals = (pool: pg.Pool) => {
  let count = 0
  pool.on('remove', () => {
    count++
  })
  return () => count
}

parity(server, 'a new client, then the same again: connect', async (subject) => {
  const pool = subject.pool()
  subject.watch(pool)
  for (const round of ['new', 'reused']) {
    subject.note(round)
    const client = await pool.connect()
    subject.note('got', client)
    client.release()
  }
  await pool.end()
  subject.note('ended')
})

parity(server, 'a new client, then the same again: connect with a callback', async (subject) => {
  const pool = subject.pool()
  subject.watch(pool)
  for (const round of ['new', 'reused']) {
    subject.note(round)
    await new Promise<void>((resolve) => {
      pool.connect((error, client, done) => {
        subject.note('callback', error, client)
        done()
        subject.note('done')
        resolve()
      })
    })
  }
  await pool.end()
})

parity(server, 'a new client, then the same again: query', async (subject) => {
  const pool = subject.pool()
  subject.watch(pool)
  for (const round of ['new', 'reused']) {
    subject.note(round)
    await pool.query('select 1')
    subject.note('answered')
  }
  await pool.end()
})

parity(server, 'query with a callback: released before the callback runs', async (subject) => {
  const pool = subject.pool()
  subject.watch(pool)
  for (const text of ['select 1', 'syntax error']) {
    const removed = text === 'select 1' ? Promise.resolve([]) : next(pool, 'remove')
    await new Promise<void>((resolve) => {
      pool.query(text, (error) => {
        subject.note('callback', error)
        subject.counts(pool)
        resolve()
      })
    })
    await removed
  }
  await pool.end()
})

parity(server, 'release with an error, with true, with false', async (subject) => {
  for (const how of [new Error('bad'), true, false]) {
    const pool = subject.pool()
    const removed = removals(pool)
    subject.watch(pool)
    const client = await pool.connect()
    client.release(how)
    subject.note('released')
    if (how !== false) await until(() => removed() === 1)
    await pool.end()
  }
})

parity(server, 'the arguments, one by one', async (subject) => {
  const pool = subject.pool()
  const seen = new Map<string, unknown[]>()
  for (const event of ['connect', 'acquire', 'release', 'remove'] as const) {
    pool.on(event, (...args: unknown[]) => {
      seen.set(event, args)
    })
  }
  const client = await pool.connect()
  const error = new Error('bad')
  client.release(error)
  await until(() => seen.has('remove'))
  expect(seen.get('connect')).toEqual([client])
  expect(seen.get('acquire')).toEqual([client])
  expect(seen.get('release')).toEqual([error, client])
  expect(seen.get('remove')).toEqual([client])
  expect(seen.get('release')![0]).toBe(error)
  await pool.end()
})

parity(server, 'an idle client whose backend is ended: error with its client, and remove', async (subject) => {
  const pool = subject.pool()
  const removed = removals(pool)
  const client = await pool.connect()
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  client.release()
  subject.watch(pool)
  const failure = next(pool, 'error')
  await server.terminate(rows[0]!.pid)
  const [error, second] = (await failure) as [Error & { client: unknown; code: string }, unknown]
  expect(error.code).toBe('57P01')
  expect(error.client).toBe(client)
  expect(second).toBe(client)
  await until(() => removed() === 1)
  subject.counts(pool)
  expect((await pool.query('select 1 as n')).rows).toEqual([{ n: 1 }])
  await pool.end()
})

parity(server, 'several idle clients ended: one error each', async (subject) => {
  const pool = subject.pool({ max: 3 })
  const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()])
  const pids = await Promise.all(
    clients.map(async (client) => (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid),
  )
  const failed = new Set<unknown>()
  pool.on('error', (_error, client) => {
    failed.add(client)
  })
  for (const client of clients) client.release()
  for (const pid of pids) await server.terminate(pid)
  await until(() => failed.size === 3 && pool.totalCount === 0)
  expect(failed).toEqual(new Set(clients))
  subject.counts(pool)
  await pool.end()
})

parity(server, 'an error event of a client that is out is not the pool’s', async (subject) => {
  const pool = subject.pool()
  const client = await pool.connect()
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  subject.watch(pool)
  const failure = next(client, 'error')
  // the end of the connection is a second error
  client.on('error', () => {})
  await server.terminate(rows[0]!.pid)
  const [error] = await failure
  await turn()
  expect(subject.lines).toEqual([])
  const removed = removals(pool)
  client.release(error as Error)
  await until(() => removed() === 1)
  await pool.end()
})

parity(server, 'a query that fails: acquire, release, then the rejection', async (subject) => {
  const pool = subject.pool()
  const removed = removals(pool)
  subject.watch(pool)
  subject.note('rejected', await rejection(pool.query('syntax error')))
  await until(() => removed() === 1)
  await pool.end()
})

parity(server, 'a client that cannot connect makes no events', async (subject) => {
  const pool = subject.pool({ password: 'wrong' })
  subject.watch(pool)
  await rejection(pool.connect())
  await turn()
  expect(subject.lines).toEqual([])
  await pool.end()
})

parity(server, 'end of a pool with idle clients', async (subject) => {
  const pool = subject.pool({ max: 2 })
  const clients = [await pool.connect(), await pool.connect()]
  for (const client of clients) client.release()
  const removed = removals(pool)
  await pool.end()
  await until(() => removed() === 2)
  subject.counts(pool)
})

parity(server, 'events and queue of a full pool', async (subject) => {
  const pool = subject.pool({ max: 1 })
  subject.watch(pool)
  const answers = [1, 2, 3].map(async (n) => {
    const { rows } = await pool.query('select $1::int as n', [n])
    subject.note('answer', rows)
  })
  await Promise.all(answers)
  await pool.end()
})

parity(server, 'a listener may look at the counts', async (subject) => {
  const pool = subject.pool({ max: 1 })
  for (const event of ['connect', 'acquire', 'release', 'remove'] as const) {
    pool.on(event, () => {
      subject.note(event)
      subject.counts(pool)
    })
  }
  const removed = removals(pool)
  const client = await pool.connect()
  client.release()
  const again = await pool.connect()
  again.release(true)
  await until(() => removed() === 1)
  await pool.end()
})

parity(server, 'a client carries the listeners that pg leaves on it', async (subject) => {
  const pool = subject.pool()
  const client = await pool.connect()
  subject.note('out', client.listenerCount('error'))
  await client.query('select 1')
  client.release()
  subject.note('idle', client.listenerCount('error'))
  await pool.query('select 1')
  subject.note('idle again', client.listenerCount('error'))
  for (const event of ['connect', 'acquire', 'release', 'remove', 'error'])
    expect(pool.listenerCount(event), event).toBe(0)
  await pool.end()
})

parity(server, 'events of the connection itself: end, and drain of a client', async (subject) => {
  const pool = subject.pool()
  const client = await pool.connect()
  const drained = next(client, 'drain')
  await client.query('select 1')
  await drained
  const ended = next(client, 'end')
  client.release(true)
  await ended
  subject.note('end')
  await pool.end()
})
