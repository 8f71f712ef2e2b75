import { expect } from 'vitest'
import pg from 'pg'
import { pgPackage } from './support/implementations'
import { parity, type Subject } from './support/parity'
import { useServer } from './support/server'
import { next, rejection, turn, until } from './support/until'

const server = useServer()

/** The lowest pg is itself of two minds what to say when a query cannot be written: the reason, or that the connection went. */
function noteSent(subject: Subject, error: Error): void {
  subject.note('rejected', pgPackage === 'pg' ? error : 'somehow')
}

parity(server, 'a server error: all its fields, in both forms', async (subject) => {
  const pool = subject.pool()
  const error = await rejection(pool.query('select nothing_here'))
  expect(error).toBeInstanceOf(pg.DatabaseError)
  expect(error).toMatchObject({
    code: '42703',
    severity: 'ERROR',
    position: '8',
    message: 'column "nothing_here" does not exist',
  })
  subject.note('promise', error, Object.keys(error))
  await new Promise<void>((resolve) => {
    pool.query('select nothing_here', (...args) => {
      subject.note('callback', args.length, ...args)
      resolve()
    })
  })
  await pool.end()
})

parity(server, 'any error of pool.query costs the client', async (subject) => {
  const pool = subject.pool()
  await pool.query('select 1')
  subject.counts(pool)
  await rejection(pool.query('syntax error'))
  subject.counts(pool)
  await until(() => pool.totalCount === 0)
  await pool.query('select 1')
  subject.counts(pool)
  await pool.end()
})

parity(server, 'an error on a checked-out client does not', async (subject) => {
  const pool = subject.pool()
  const client = await pool.connect()
  await rejection(client.query('syntax error'))
  expect((await client.query('select 1 as n')).rows).toEqual([{ n: 1 }])
  client.release()
  expect(pool.idleCount).toBe(1)
  await pool.end()
})

parity(server, 'the error that is thrown is the error that was released', async (subject) => {
  const pool = subject.pool()
  const released: unknown[] = []
  pool.on('release', (error: unknown) => {
    released.push(error)
  })
  const error = await rejection(pool.query('syntax error'))
  expect(released).toEqual([error])
  expect(released[0]).toBe(error)
  await new Promise<void>((resolve) => {
    pool.query('syntax error', (given) => {
      expect(released[1]).toBe(given)
      resolve()
    })
  })
  await pool.end()
})

parity(server, 'an error in a value, before anything is sent', async (subject) => {
  const pool = subject.pool()
  const failing = {
    toPostgres() {
      throw new Error('cannot be written')
    },
  }
  noteSent(subject, await rejection(pool.query('select $1', [failing])))
  await until(() => pool.totalCount === 0)
  await pool.end()
})

parity(server, 'values that are not an array', async (subject) => {
  const pool = subject.pool()
  const error = await rejection(pool.query({ text: 'select $1::int', values: 'seven' } as unknown as pg.QueryConfig))
  noteSent(subject, error)
  await pool.end()
})

parity(server, 'too few values', async (subject) => {
  const pool = subject.pool()
  const error = await rejection(pool.query('select $1::int, $2::int', [1]))
  expect(error).toBeInstanceOf(pg.DatabaseError)
  expect(error).toMatchObject({ code: '08P01', severity: 'ERROR' })
  subject.note('rejected', error)
  await pool.end()
})

parity(server, 'null as a query', async (subject) => {
  const pool = subject.pool()
  for (const text of [null, undefined]) {
    const error = await rejection(pool.query(text as unknown as string))
    expect(error.message).toBe('Client was passed a null or undefined query')
    subject.note('rejected', error)
  }
  await pool.end()
})

parity(server, 'an object that is no query', async (subject) => {
  const pool = subject.pool()
  subject.note('rejected', await rejection(pool.query({} as unknown as string)))
  await pool.end()
})

parity(server, 'a function as the first parameter is told so, later', async (subject) => {
  const pool = subject.pool()
  const query = pool.query.bind(pool) as unknown as (...args: unknown[]) => unknown
  await new Promise<void>((resolve) => {
    let returned = false
    const value = query((...args: unknown[]) => {
      expect(returned).toBe(true)
      expect((args[0] as Error).message).toBe(
        'Passing a function as the first parameter to pool.query is not supported',
      )
      subject.note('called back', args.length)
      resolve()
    })
    returned = true
    subject.note('returned', value)
  })
  expect(pool.totalCount).toBe(0)
  await pool.end()
})

parity(server, 'query after end, in both forms', async (subject) => {
  const pool = subject.pool()
  await pool.end()
  expect((await rejection(pool.query('select 1'))).message).toBe('Cannot use a pool after calling end on the pool')
  pool.query('select 1', (...args) => {
    subject.note('callback', args.length, args[0])
  })
  await turn()
  expect(subject.lines).toHaveLength(1)
})

parity(
  server,
  'nobody listens on the port',
  async (subject) => {
    const port = 1
    const limit = subject.following ? { connectionTimeoutMillis: 200 } : {}
    const pool = subject.pool({ port, ...limit })
    const error = await rejection(pool.connect())
    if (subject.following) expect(error.name).toBe('HostSelectionTimeoutError')
    else expect(error.code).toBe('ECONNREFUSED')
    subject.note('promise', error)
    subject.counts(pool)
    await new Promise<void>((resolve) => {
      pool.connect((given, client, done) => {
        expect(given).toBeInstanceOf(Error)
        expect(client).toBe(undefined)
        if (!subject.following) done()
        subject.note('callback', given, typeof done)
        resolve()
      })
    })
    subject.note('query', await rejection(pool.query('select 1')))
    await pool.end()
  },
  { following: 'a caller is held until its deadline instead of failing at once' },
)

parity(server, 'a password that is wrong', async (subject) => {
  const pool = subject.pool({ password: 'wrong' })
  const error = await rejection(pool.connect())
  expect(error.code).toBe('28P01')
  expect(error).toBeInstanceOf(pg.DatabaseError)
  subject.note('connect', error)
  subject.note('query', await rejection(pool.query('select 1')))
  expect([pool.totalCount, pool.waitingCount]).toEqual([0, 0])
  await pool.end()
})

parity(server, 'a database that is not there', async (subject) => {
  const pool = subject.pool({ database: 'nowhere' })
  const error = await rejection(pool.query('select 1'))
  expect(error.code).toBe('3D000')
  subject.note('query', error)
  await pool.end()
})

parity(server, 'a password function that fails', async (subject) => {
  const broken = new Error('vault is sealed')
  const pool = subject.pool({
    password: () => {
      throw broken
    },
  })
  const error = await rejection(pool.connect())
  expect(error).toBe(broken)
  await pool.end()
})

parity(server, 'a password function is asked for each connection', async (subject) => {
  let asked = 0
  const pool = subject.pool({
    max: 2,
    password: () => {
      asked++
      return Promise.resolve(server.options.password)
    },
  })
  const clients = [await pool.connect(), await pool.connect()]
  expect(asked).toBeGreaterThanOrEqual(2)
  if (!subject.following) expect(asked).toBe(2)
  for (const client of clients) client.release()
  await pool.end()
})

parity(server, 'a backend ended under a running query', async (subject) => {
  const pool = subject.pool({ max: 1 })
  const client = await pool.connect()
  const errors: Error[] = []
  client.on('error', (error) => {
    errors.push(error)
  })
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  const failing = rejection(client.query('select pg_sleep(60)'))
  await server.terminate(rows[0]!.pid)
  const error = await failing
  expect(error).toMatchObject({ code: '57P01', severity: 'FATAL' })
  await until(() => errors.length > 0)
  subject.note('query', error)
  // How the socket ends is a race of the server's.
  expect(String(errors[0])).toMatch(/Connection terminated unexpectedly|read ECONNRESET/)
  client.release(error)
  expect(pool.totalCount).toBe(0)
  expect((await pool.query('select 1 as n')).rows).toEqual([{ n: 1 }])
  await pool.end()
})

parity(
  server,
  'a backend ended under pool.query',
  async (subject) => {
    const pool = subject.pool({ max: 1 })
    const mark = `parity ${Math.random()}`
    const query = pool.query(`select pg_sleep(0.5), '${mark}' as mark, pg_backend_pid() as pid`)
    const settled = Promise.allSettled([query])
    let pid = 0
    await until(async () => {
      const found = await server.ask<{ pid: number }>(
        "select pid from pg_stat_activity where state = 'active' and query like $1 and pid <> pg_backend_pid() and query not like '%pg_stat_activity%'",
        [`%${mark}%`],
      )
      pid = found[0]?.pid ?? 0
      return pid !== 0
    })
    await server.terminate(pid)
    const [outcome] = await settled
    if (subject.following) {
      expect(outcome).toMatchObject({ status: 'fulfilled', value: { rows: [{ mark }] } })
    } else {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: '57P01' } })
      if (outcome.status === 'rejected') subject.note('rejected', outcome.reason)
    }
    await pool.end()
  },
  { following: 'a statement that the server says it ended is sent again' },
)

parity(server, 'a stream cut under a checked-out client', async (subject) => {
  const pool = subject.pool({ max: 1 })
  const client = await pool.connect()
  const failure = next(client, 'error')
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } }
  connection.stream.destroy()
  const [error] = (await failure) as [Error]
  expect(error.message).toBe('Connection terminated unexpectedly')
  subject.note('error', error)
  subject.note('query', await rejection(client.query('select 1')))
  client.release()
  expect(pool.totalCount).toBe(0)
  await pool.end()
})
