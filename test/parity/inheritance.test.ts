import { expect } from 'vitest'
import pg from 'pg'
import { parity } from './support/parity'
import { useServer } from './support/server'
import { rejection } from './support/until'

const server = useServer()

parity(server, 'a subclass', async (subject) => {
  class CountingPool extends subject.Pool {
    queries = 0
    connects = 0
    override query(...args: unknown[]): never {
      this.queries++
      return (super.query as (...args: unknown[]) => unknown)(...args) as never
    }
    override connect(...args: unknown[]): never {
      this.connects++
      return (super.connect as (...args: unknown[]) => unknown)(...args) as never
    }
  }
  const counting = new CountingPool(subject.options())
  const pool: pg.Pool = counting
  expect(pool.constructor.name).toBe('CountingPool')
  expect(pool).toBeInstanceOf(pg.Pool)
  expect(pool).toBeInstanceOf(subject.Pool)
  expect((await pool.query('select 1 as n')).rows).toEqual([{ n: 1 }])
  const client = await pool.connect()
  client.release()
  expect([counting.queries, counting.connects]).toEqual([1, 2])
  await pool.end()
})

parity(server, 'a subclass that replaces connect is asked by query', async (subject) => {
  class RefusingPool extends subject.Pool {
    override connect(callback?: unknown): never {
      const refused = new Error('closed for today')
      if (typeof callback === 'function') return void callback(refused) as never
      return Promise.reject(refused) as never
    }
  }
  const pool = new RefusingPool(subject.options())
  expect((await rejection(pool.query('select 1'))).message).toBe('closed for today')
  await pool.end()
})

parity(server, 'patched prototypes are run', async (subject) => {
  const called: string[] = []
  const prototype = pg.Pool.prototype as unknown as Record<'query' | 'connect', (...args: unknown[]) => unknown>
  const { query, connect } = prototype
  const own = { query: Object.hasOwn(prototype, 'query'), connect: Object.hasOwn(prototype, 'connect') }
  try {
    prototype.query = function (this: unknown, ...args: unknown[]) {
      called.push('query')
      return query.apply(this, args)
    }
    prototype.connect = function (this: unknown, ...args: unknown[]) {
      called.push('connect')
      return connect.apply(this, args)
    }
    const pool = subject.pool()
    await pool.query('select 1')
    const client = await pool.connect()
    client.release()
    await pool.end()
  } finally {
    for (const name of ['query', 'connect'] as const) {
      if (own[name]) prototype[name] = { query, connect }[name]
      else Reflect.deleteProperty(prototype, name)
    }
  }
  expect(called.filter((name) => name === 'query')).toHaveLength(1)
  expect(called.filter((name) => name === 'connect').length).toBeGreaterThanOrEqual(2)
  subject.note('called', called)
})

parity(server, 'query calls connect with a callback before it returns', async (subject) => {
  const pool = subject.pool()
  const { connect } = pool as unknown as { connect: (...args: unknown[]) => unknown }
  const seen: string[] = []
  ;(pool as unknown as { connect: unknown }).connect = function (this: unknown, ...args: unknown[]) {
    seen.push(args.map((argument) => typeof argument).join())
    return connect.apply(this, args)
  }
  const asking = pool.query('select 1 as n')
  expect(seen).toEqual(['function'])
  expect((await asking).rows).toEqual([{ n: 1 }])
  await pool.end()
})

parity(server, 'end can be replaced on the instance', async (subject) => {
  const pool = subject.pool()
  const { end } = pool as unknown as { end: (...args: unknown[]) => Promise<void> }
  let asked = 0
  ;(pool as unknown as { end: unknown }).end = (...args: unknown[]) => {
    asked++
    return end.apply(pool, args)
  }
  await pool.query('select 1')
  await pool.end()
  expect(asked).toBe(1)
  expect(pool.ended).toBe(true)
})

parity(server, 'bound methods', async (subject) => {
  const pool = subject.pool()
  const query = pool.query.bind(pool)
  const connect = pool.connect.bind(pool)
  const end = pool.end.bind(pool)
  expect((await query('select 1 as n')).rows).toEqual([{ n: 1 }])
  const client = await connect()
  client.release()
  await end()
})

parity(server, 'clients take properties, symbols and a replaced release', async (subject) => {
  const pool = subject.pool({ max: 1 })
  const client = await pool.connect()
  const { release } = client
  let released = 0
  client.release = (how) => {
    released++
    release.call(client, how)
  }
  Object.defineProperty(client, '$ctx', { value: 1, configurable: true })
  client.release()
  expect(released).toBe(1)
  const again = await pool.connect()
  expect(again).toBe(client)
  again.release()
  expect(released).toBe(1)
  await pool.end()
})

async function theFunctionThatAsked(pool: pg.Pool, text: string) {
  await pool.query(text)
}
async function theFunctionThatConnected(pool: pg.Pool) {
  const client = await pool.connect()
  client.release()
}

parity(server, 'the stack of a rejected query names the function that asked', async (subject) => {
  const pool = subject.pool()
  const error = await rejection(theFunctionThatAsked(pool, 'syntax error'))
  expect(error.stack).toContain('theFunctionThatAsked')
  const reused = await rejection(theFunctionThatAsked(pool, 'syntax error'))
  expect(reused.stack).toContain('theFunctionThatAsked')
  await pool.end()
})

parity(server, 'the stack of a rejected connect names the function that asked', async (subject) => {
  const pool = subject.pool({ password: 'wrong' })
  const error = await rejection(theFunctionThatConnected(pool))
  expect(error.stack).toContain('theFunctionThatConnected')
  await pool.end()
})

parity(server, 'the async context of the caller is the context of what follows', async (subject) => {
  const { AsyncLocalStorage } = await import('node:async_hooks')
  const storage = new AsyncLocalStorage<number>()
  const pool = subject.pool({ max: 1 })
  const seen: (number | undefined)[] = []
  await Promise.all(
    [1, 2, 3].map((n) =>
      storage.run(n, async () => {
        await pool.query('select 1')
        seen.push(storage.getStore())
      }),
    ),
  )
  expect(seen).toEqual([1, 2, 3])
  await pool.end()
})

parity(server, 'Client: the class, its own way to connect and to end', async (subject) => {
  const client = new subject.Client({ ...server.options })
  expect(client).toBeInstanceOf(pg.Client)
  expect(Object.getOwnPropertyDescriptor(client, 'password')?.enumerable).toBe(false)
  const connected: unknown = await client.connect()
  subject.note('connect resolved with', connected === client ? 'itself' : typeof connected)
  expect((await client.query('select 1 as n')).rows).toEqual([{ n: 1 }])
  const error = await rejection(client.connect())
  expect(error.message).toBe('Client has already been connected. You cannot reuse a client.')
  expect(await client.end()).toBe(undefined)
  subject.note('after end', await rejection(client.query('select 1')))
})

parity(server, 'Client: callback forms', async (subject) => {
  const client = new subject.Client({ ...server.options })
  await new Promise<void>((resolve) => {
    client.connect((...args: unknown[]) => {
      subject.note('connected', args.length, ...args)
      resolve()
    })
  })
  await new Promise<void>((resolve) => {
    client.query('select 1 as n', (...args) => {
      subject.note('answered', args[0], args[1].rows)
      resolve()
    })
  })
  await new Promise<void>((resolve) => {
    client.end((...args: unknown[]) => {
      subject.note('ended', ...args)
      resolve()
    })
  })
})

parity(server, 'Client: end before connect', async (subject) => {
  const client = new subject.Client({ ...server.options })
  expect(await client.end()).toBe(undefined)
})

parity(server, 'Client: a connection string as the argument', async (subject) => {
  const client = new subject.Client(server.connectionString())
  await client.connect()
  subject.note('parameters', client.user, client.database, client.host)
  expect(client.port).toBe(server.options.port)
  await client.end()
})

parity(server, 'Client: queries asked before connect', async (subject) => {
  const client = new subject.Client({ ...server.options })
  const asking = client.query('select 1 as n')
  await client.connect()
  expect((await asking).rows).toEqual([{ n: 1 }])
  await client.end()
})

parity(server, 'Client: a password that is wrong', async (subject) => {
  const client = new subject.Client({ ...server.options, password: 'wrong' })
  const error = await rejection(client.connect())
  expect(error.code).toBe('28P01')
  subject.note('connect', error)
  await client.end()
})
