import { EventEmitter } from 'node:events'
import { expect } from 'vitest'
import pg from 'pg'
import type { Options } from './support/implementations'
import { parity } from './support/parity'
import { useServer } from './support/server'
import { rejection } from './support/until'

const server = useServer()

parity(server, 'no options at all: the defaults are filled in', async ({ Pool, note }) => {
  const pool = new Pool()
  expect(pool.options).toMatchObject({
    max: 10,
    min: 0,
    idleTimeoutMillis: 10_000,
    maxUses: Infinity,
    maxLifetimeSeconds: 0,
  })
  expect(pool.options.allowExitOnIdle).toBe(false)
  note('keys', Object.keys(pool.options).sort())
  await pool.end()
})

parity(server, 'options are a copy; the caller keeps the object as it was', async (subject) => {
  const given = subject.options({ max: 3, idleTimeoutMillis: 0 })
  const before = { ...given }
  const pool = new subject.Pool(given)
  expect(pool.options).not.toBe(given)
  expect(given).toEqual(before)
  expect(pool.options.max).toBe(3)
  expect(pool.options.idleTimeoutMillis).toBe(0)
  subject.note(
    'keys',
    Object.keys(pool.options).filter((key) => !(key in subject.options())),
  )
  given.max = 7
  expect(pool.options.max).toBe(3)
  await pool.end()
})

parity(server, 'max: 0 and poolSize', ({ Pool, options, note }) => {
  for (const more of [{ max: 0 }, { poolSize: 4 }, { max: 2, poolSize: 4 }, { max: 0, poolSize: 4 }, {}]) {
    note(JSON.stringify(more), new Pool(options(more)).options.max)
  }
  expect(new Pool(options({ max: 0 })).options.max).toBe(10)
  expect(new Pool(options({ poolSize: 4 })).options.max).toBe(4)
})

parity(server, 'falsy values of the other limits', ({ Pool, options, note }) => {
  for (const more of [
    { min: 0 },
    { min: 2 },
    { maxUses: 0 },
    { maxLifetimeSeconds: 0 },
    { idleTimeoutMillis: null },
  ] as Options[]) {
    const { min, maxUses, maxLifetimeSeconds, idleTimeoutMillis } = new Pool(options(more)).options
    note(JSON.stringify(more), `${min} ${maxUses} ${maxLifetimeSeconds} ${idleTimeoutMillis}`)
  }
})

parity(server, 'the password is there but not enumerable, and can be reassigned', async ({ Pool, options }) => {
  const pool = new Pool(options({ password: 'secret' }))
  expect(Object.getOwnPropertyDescriptor(pool.options, 'password')).toEqual({
    configurable: true,
    enumerable: false,
    writable: true,
    value: 'secret',
  })
  expect(JSON.stringify(pool.options)).not.toContain('secret')
  await pool.end()
})

parity(server, "ssl.key is made non-enumerable on the caller's object", async ({ Pool, options }) => {
  const ssl = { key: 'private', cert: 'public' }
  const pool = new Pool(options({ ssl }))
  expect(Object.keys(ssl)).toEqual(['cert'])
  expect(pool.options.ssl).toBe(ssl)
  expect(ssl.key).toBe('private')
  await pool.end()
})

parity(server, 'members of a fresh pool', async (subject) => {
  const pool = subject.pool()
  expect(pool).toMatchObject({
    ending: false,
    ended: false,
    totalCount: 0,
    idleCount: 0,
    waitingCount: 0,
    expiredCount: 0,
  })
  const { log, Promise: PromiseClass, Client } = pool as unknown as { log: unknown; Promise: unknown; Client: unknown }
  expect(typeof log).toBe('function')
  expect(PromiseClass).toBe(globalThis.Promise)
  expect(typeof Client).toBe('function')
  expect(pool.listenerCount('error')).toBe(0)
  expect(pool.eventNames()).toEqual([])
  for (const count of ['totalCount', 'idleCount', 'waitingCount', 'expiredCount']) expect(count in pool).toBe(true)
  await pool.end()
})

parity(server, 'without new it throws', ({ Pool, options, note }) => {
  const call = Pool as unknown as (options: Options) => unknown
  let error: unknown
  try {
    call(options())
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(TypeError)
  expect((error as Error).message).toMatch(/^Class constructor \w*Pool cannot be invoked without 'new'$/)
  note('thrown')
})

const noQuote = { ours: 'pg-pool quotes the string, password and all' }
parity(
  server,
  'a string argument throws',
  ({ Pool, note, name }) => {
    const PoolOfText = Pool as unknown as new (text: string) => pg.Pool
    let error: unknown
    try {
      new PoolOfText(server.connectionString())
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(TypeError)
    if (name !== 'pg') expect((error as Error).message).toContain('connectionString')
    note('thrown', error)
  },
  noQuote,
)

parity(server, 'a second argument is ignored, as pg ignores it', async ({ Pool, options, note }) => {
  class Other extends pg.Client {}
  const PoolOfTwo = Pool as unknown as new (options: Options, Client: unknown) => pg.Pool
  const pool = new PoolOfTwo(options(), Other)
  const client = await pool.connect()
  note('other class', client instanceof Other)
  client.release()
  await pool.end()
})

parity(server, 'a connection string, and nothing else', async ({ Pool, following, note }) => {
  const own = following ? { targetSessionAttrs: 'read-write' as const } : {}
  const pool = new Pool({ connectionString: server.connectionString(), ...own })
  const { rows } = await pool.query<{ n: number }>('select 1 as n')
  note('rows', rows)
  expect((await pool.query<{ port: number }>('select inet_server_port() as port')).rows[0]!.port).toBe(
    server.options.port,
  )
  await pool.end()
})

parity(server, 'a connection string wins over its siblings', async ({ Pool, following }) => {
  const own = following ? { targetSessionAttrs: 'read-write' as const } : {}
  const pool = new Pool({
    connectionString: server.connectionString(),
    user: 'nobody',
    database: 'nowhere',
    password: 'x',
    ...own,
  })
  const { rows } = await pool.query<{ u: string; d: string }>('select current_user as u, current_database() as d')
  expect(rows).toEqual([{ u: server.options.user, d: server.options.database }])
  await pool.end()
})

parity(
  server,
  'a broken connection string is reported by connect, not by the constructor',
  async ({ Pool, note }) => {
    const pool = new Pool({ connectionString: 'postgres://user:secret@host:not-a-port/db' })
    let sync = true
    try {
      const promise = pool.connect()
      sync = false
      note('rejects', (await rejection(promise)).name)
    } catch (error) {
      note(sync ? 'throws' : 'awaited', (error as Error & { code?: string }).code)
    }
    await pool.end()
  },
  { following: 'ours reads the string itself, in the constructor' },
)

parity(server, 'the options of a pool make another pool', async (subject) => {
  const first = subject.pool({ max: 2 })
  const second = new subject.Pool(first.options)
  expect(second.options).not.toBe(first.options)
  expect({ ...second.options }).toEqual({ ...first.options })
  expect(second.options.password).toBe(server.options.password)
  expect(Object.keys(second.options)).not.toContain('password')
  const { rows } = await second.query<{ n: number }>('select 1 as n')
  expect(rows).toEqual([{ n: 1 }])
  expect(first.totalCount).toBe(0)
  await second.end()
  await first.end()
})

for (const used of [false, true]) {
  parity(server, `new pool.Client(pool.options) of a pool ${used ? 'in use' : 'that nobody used'}`, async (subject) => {
    const pool = subject.pool()
    if (used) await pool.query('select 1')
    const { Client } = pool as unknown as { Client: typeof pg.Client }
    for (const options of [pool.options, { ...pool.options, password: server.options.password }]) {
      const client = new Client(options)
      expect(client).toBeInstanceOf(pg.Client)
      await client.connect()
      const { rows } = await client.query<{ n: number }>('select 1 as n')
      expect(rows).toEqual([{ n: 1 }])
      await client.end()
    }
    expect(pool.totalCount).toBe(used ? 1 : 0)
    await pool.end()
  })
}

parity(server, 'what a pool is', async (subject) => {
  const pool = subject.pool()
  expect(pool).toBeInstanceOf(pg.Pool)
  expect(pool).toBeInstanceOf(EventEmitter)
  expect(pool.constructor.name).toContain('Pool')
  for (const name of ['db', 'dialect', 'createDriver', 'aggregate', 'getConnection', 'fileControl', 'createSession']) {
    expect(name in pool, name).toBe(false)
  }
  expect('batch' in pool && 'exec' in pool && 'prepare' in pool).toBe(false)
  subject.note('inspects without the password', JSON.stringify(pool.options).includes('password'))
  await pool.end()
})
