import { expect } from 'vitest'
import pg from 'pg'
import { parity } from './support/parity'
import { useServer } from './support/server'
import { until } from './support/until'

type Done = (release?: Error | boolean) => void
const server = useServer()

parity(server, 'connect: promise', async (subject) => {
  const pool = subject.pool()
  const client = await pool.connect()
  expect(client).toBeInstanceOf(pg.Client)
  expect(typeof client.release).toBe('function')
  subject.counts(pool)
  expect(client.release()).toBe(undefined)
  subject.counts(pool)
  expect(await pool.end()).toBe(undefined)
  subject.counts(pool)
})

parity(server, 'connect: callback gets client and done, done being client.release', async (subject) => {
  const pool = subject.pool()
  for (const round of ['new', 'reused']) {
    await new Promise<void>((resolve) => {
      const returned: unknown = pool.connect((error, client, done) => {
        expect(error).toBe(undefined)
        expect(client).toBeInstanceOf(pg.Client)
        expect(done).toBe(client!.release)
        subject.note(round, client)
        done()
        resolve()
      })
      subject.note('returned', returned)
    })
  }
  await pool.end()
})

parity(server, 'connect never calls back before it returns', async (subject) => {
  const pool = subject.pool({ max: 1 })
  for (let round = 0; round < 2; round++) {
    let returned = false
    await new Promise<void>((resolve) => {
      pool.connect((_error, _client, done) => {
        expect(returned).toBe(true)
        done()
        resolve()
      })
      returned = true
    })
  }
  await pool.end()
})

parity(
  server,
  'counts at every step',
  async (subject) => {
    const pool = subject.pool({ max: 2 })
    const { note, counts } = subject
    const first = pool.connect()
    expect(pool.totalCount + pool.waitingCount).toBe(1)
    if (!subject.following) counts(pool)
    const a = await first
    note('one')
    counts(pool)
    const b = await pool.connect()
    note('two')
    counts(pool)
    const third = pool.connect()
    note('third waits')
    counts(pool)
    a.release()
    note('released to the third')
    const c = await third
    counts(pool)
    expect(c).toBe(a)
    b.release()
    note('one idle')
    counts(pool)
    c.release(true)
    note('one destroyed')
    counts(pool)
    await until(() => pool.totalCount === 1)
    await pool.end()
    note('ended', pool.ended, pool.ending)
    counts(pool)
  },
  { following: 'before the first leader is known a caller is waiting, not connecting' },
)

parity(server, 'counts at every step, a client being there', async (subject) => {
  const pool = subject.pool({ max: 2 })
  let removed = 0
  pool.on('remove', () => {
    removed++
  })
  await pool.query('select 1')
  subject.counts(pool)
  const first = pool.connect()
  subject.counts(pool)
  const a = await first
  subject.counts(pool)
  const b = await pool.connect()
  subject.counts(pool)
  const third = pool.connect()
  const fourth = pool.connect()
  subject.counts(pool)
  a.release()
  const c = await third
  subject.counts(pool)
  c.release()
  const d = await fourth
  subject.counts(pool)
  b.release()
  subject.counts(pool)
  d.release(true)
  subject.counts(pool)
  await until(() => removed === 1)
  subject.counts(pool)
  await pool.end()
  subject.counts(pool)
})

parity(server, 'idle clients are handed out last in, first out', async (subject) => {
  const pool = subject.pool({ max: 3 })
  const clients = [await pool.connect(), await pool.connect(), await pool.connect()]
  for (const index of [1, 0, 2]) clients[index]!.release()
  const order: (typeof clients)[number][] = []
  for (let n = 0; n < 3; n++) order.push(await pool.connect())
  expect(order.map((client) => clients.indexOf(client))).toEqual([2, 0, 1])
  for (const client of order) client.release()
  await pool.end()
})

parity(server, 'waiters are served first in, first out', async (subject) => {
  const pool = subject.pool({ max: 1 })
  const held = await pool.connect()
  const served: number[] = []
  const waiters = [1, 2, 3, 4, 5].map(async (n) => {
    const client = await pool.connect()
    served.push(n)
    client.release()
  })
  expect(pool.waitingCount).toBe(5)
  held.release()
  await Promise.all(waiters)
  expect(served).toEqual([1, 2, 3, 4, 5])
  await pool.end()
})

parity(server, 'callers of connect and of query share one queue', async (subject) => {
  const pool = subject.pool({ max: 1 })
  const held = await pool.connect()
  await held.query('create temp table served (n serial, who text)')
  const insert = "insert into served (who) values ('query')"
  const waiters = [
    pool.query(insert),
    pool.connect().then(async (client) => {
      await client.query("insert into served (who) values ('connect')")
      client.release()
    }),
    pool.query(insert),
  ]
  held.release()
  await Promise.all(waiters)
  const { rows } = await pool.query<{ who: string }>('select who from served order by n')
  expect(rows.map(({ who }) => who)).toEqual(['query', 'connect', 'query'])
  await pool.end()
})

parity(server, 'the same connection is the same object with a new release', async (subject) => {
  const pool = subject.pool({ max: 1 })
  const first = await pool.connect()
  const { release } = first
  ;(first as unknown as Record<symbol, unknown>)[Symbol.for('mine')] = 'kept'
  first.release()
  const second = await pool.connect()
  expect(second).toBe(first)
  expect((second as unknown as Record<symbol, unknown>)[Symbol.for('mine')]).toBe('kept')
  expect(second.release).not.toBe(release)
  subject.note(
    'first release again',
    thrown(() => release()),
  )
  second.release()
  await pool.end()
})

parity(server, 'releasing twice throws, by either name', async (subject) => {
  const pool = subject.pool()
  await new Promise<void>((resolve) => {
    pool.connect((_error, client, done) => {
      client!.release()
      for (const again of [done as Done, client!.release, () => client!.release(true)]) {
        const error = thrown(() => again())
        expect(error?.message).toBe('Release called on client which has already been released to the pool.')
      }
      resolve()
    })
  })
  expect(pool.idleCount).toBe(1)
  await pool.end()
})

parity(server, 'release with an error or true destroys, with nothing or false keeps', async (subject) => {
  for (const [how, kept] of [
    [undefined, true],
    [false, true],
    [true, false],
    [new Error('bad'), false],
  ] as const) {
    const pool = subject.pool()
    const client = await pool.connect()
    client.release(how)
    expect([pool.totalCount, pool.idleCount]).toEqual(kept ? [1, 1] : [0, 0])
    await pool.end()
  }
})

parity(server, 'a released client that the user ended is not kept', async (subject) => {
  const pool = subject.pool()
  const client = await pool.connect()
  await client.end()
  client.release()
  expect(pool.totalCount).toBe(0)
  expect((await pool.query<{ n: number }>('select 1 as n')).rows).toEqual([{ n: 1 }])
  await pool.end()
})

function thrown(act: () => unknown): Error | undefined {
  try {
    act()
  } catch (error) {
    return error as Error
  }
  return undefined
}
