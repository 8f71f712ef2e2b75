import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Client } from '../../../src/index'
import type { ClientOptions, PoolConfig } from '../../../src/index'
import { useCluster } from '../pool/support/clusters'
import { rejection, usePools } from '../pool/support/pools'

const cluster = useCluster({ hosts: 1 })
const makePool = usePools()
const user = 'rotated'
let current = 'first'

/** The nobody that stands beside the server in each list makes it a list. */
const everywhere = (): PoolConfig => {
  const { host, port } = cluster().hosts[0]!
  return {
    hosts: [
      { host, port },
      { host, port: 1 },
    ],
    user,
    database: cluster().database,
    failoverTimeoutMillis: 20_000,
  }
}

beforeAll(() => cluster().hosts[0]!.query(`create role ${user} login`))
beforeEach(() => rotate('first'))

async function rotate(password: string): Promise<void> {
  current = password
  await cluster().hosts[0]!.query(`alter role ${user} password '${password}'`)
}

/** How often the server has refused a password so far. */
async function refusals(): Promise<number> {
  return (await cluster().hosts[0]!.log()).split('password authentication failed').length - 1
}

async function connect(options: ClientOptions): Promise<string> {
  const client = new Client(options)
  client.on('error', () => undefined)
  try {
    await client.connect()
    return (await client.query<{ name: string }>('select current_user as name')).rows[0]!.name
  } finally {
    await client.end().catch(() => undefined)
  }
}

describe('a password function', () => {
  it('that answered just before the password was changed is asked once more', async () => {
    let asked = 0
    const password = (): string => (asked++ % 2 === 0 ? 'before' : current)
    expect(await connect({ ...everywhere(), password })).toBe(user)
    expect(asked).toBe(2)

    const { pool } = makePool({ ...everywhere(), password, max: 1, monitor: false })
    expect((await pool.query<{ name: string }>('select current_user as name')).rows).toEqual([{ name: user }])
    // Twice for the monitor, twice for the client.
    expect(asked).toBe(6)
  })

  it('that knows no other answer is not made to send it twice', async () => {
    const before = await refusals()
    let asked = 0
    const error = await rejection(connect({ ...everywhere(), password: () => (asked++, Promise.resolve('wrong')) }))
    expect(error).toMatchObject({ code: '28P01', severity: 'FATAL' })
    expect(asked).toBe(2)
    expect(await refusals()).toBe(before + 1)
  })

  it('that is wrong twice is not asked a third time', async () => {
    let asked = 0
    const password = (): string => `wrong ${asked++}`
    expect(await rejection(connect({ ...everywhere(), password }))).toMatchObject({ code: '28P01' })
    expect(asked).toBe(2)
    const { pool } = makePool({ ...everywhere(), password, monitor: false })
    expect(await rejection(pool.query('select 1'))).toMatchObject({ code: '28P01' })
  })

  it('is asked for every connection, so a pool outlives each rotation', async () => {
    const { pool } = makePool({ ...everywhere(), password: () => current, max: 1, maxUses: 1 })
    for (const password of ['second', 'third']) {
      await rotate(password)
      await pool.query('select 1')
    }
  })
})

it('a fixed password is sent once', async () => {
  const before = await refusals()
  expect(await rejection(connect({ ...everywhere(), password: 'wrong' }))).toMatchObject({ code: '28P01' })
  expect(await refusals()).toBe(before + 1)
})

describe('a password file', () => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pg-leader-passfile-'))
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  it('that changes while its password is on the way is read once more', async () => {
    const { host, port } = cluster().hosts[0]!
    const passfile = join(directory, 'passwords')
    const write = (password: string): void => writeFileSync(passfile, `*:*:*:${user}:${password}\n`, { mode: 0o600 })
    const connectionString = `postgres://${user}@${host}:${port},${host}:1/${cluster().database}?passfile=${passfile}`
    for (const use of [
      () => connect({ connectionString }),
      async () =>
        (await makePool({ connectionString }).pool.query<{ name: string }>('select current_user as name')).rows[0]!
          .name,
    ]) {
      write('stale')
      const connecting = use()
      // The options are made, and the server not yet heard, when the call returns.
      write(current)
      expect(await connecting).toBe(user)
    }
    const before = await refusals()
    write('stale')
    expect(await rejection(connect({ connectionString }))).toMatchObject({ code: '28P01' })
    expect(await refusals()).toBe(before + 1)
    expect(readFileSync(passfile, 'utf8')).toContain('stale')
  })
})

it('what a vault that is closed throws reaches the caller, and no server is asked for it twice', async () => {
  let asked = 0
  const password = (): never => {
    asked += 1
    throw Object.assign(new Error('the vault is closed'), { code: 'ECONNREFUSED' })
  }
  expect(await rejection(connect({ ...everywhere(), password }))).toMatchObject({ message: 'the vault is closed' })
  expect(asked).toBe(1)
})
