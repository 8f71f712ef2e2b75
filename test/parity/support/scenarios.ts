import pg from 'pg'
import * as ours from '../../../src/index'
import type { Implementation, Options } from './implementations'

// Runs in a child process; not imported by any test. Vitest is not here.

const env = (name: string): string => {
  const value = process.env[name]
  if (value === undefined) throw new Error(`${name} is not set`)
  return value
}
const options = JSON.parse(env('PARITY_OPTIONS')) as Options
const Pool = (env('PARITY_IMPLEMENTATION') === 'pg' ? pg.Pool : ours.Pool) as Implementation['Pool']

const say = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

/** Over a connection of its own. */
async function terminate(pid: number): Promise<void> {
  const { host, port, user, password, database } = options
  const client = new pg.Client({ host, port, user, password, database })
  await client.connect()
  await client.query('select pg_terminate_backend($1, 10000)', [pid])
  await client.end()
}

const pidOf = async (client: pg.PoolClient): Promise<number> =>
  (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid

const scenarios: Record<string, () => Promise<void>> = {
  async allowExitOnIdle() {
    const pool = new Pool({ ...options, allowExitOnIdle: true, idleTimeoutMillis: 600_000 })
    await pool.query('select 1')
    say(`idle ${pool.idleCount}`)
  },

  async allowExitOnIdleTwice() {
    const pool = new Pool({ ...options, allowExitOnIdle: true, idleTimeoutMillis: 600_000, maxLifetimeSeconds: 600 })
    const client = await pool.connect()
    await client.query('select pg_sleep(0.1)')
    client.release()
    await pool.query('select pg_sleep(0.1)')
    say('twice')
  },

  async exitAfterEnd() {
    const pool = new Pool(options)
    await Promise.all([pool.query('select 1'), pool.query('select 1')])
    await pool.end()
    say('ended')
  },

  exitWithoutUse() {
    new Pool(options)
    say('made')
    return Promise.resolve()
  },

  async idleTimeout() {
    const pool = new Pool({ ...options, allowExitOnIdle: true, idleTimeoutMillis: 10 })
    pool.on('remove', () => {
      say('removed')
    })
    await pool.query('select 1')
  },

  async idleKilled() {
    const pool = new Pool(options)
    const client = await pool.connect()
    const pid = await pidOf(client)
    client.release()
    await terminate(pid)
    while (pool.totalCount > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    say('alive')
    await pool.query('select 1')
    await pool.end()
    say('ended')
  },

  async checkedOutKilled() {
    const pool = new Pool(options)
    const client = await pool.connect()
    const ended = new Promise((resolve) => client.once('end', resolve))
    await terminate(await pidOf(client))
    await ended
    say('alive')
    client.release(true)
    await pool.end()
    say('ended')
  },

  async rejectionUnhandled() {
    const pool = new Pool(options)
    process.once('unhandledRejection', (error: Error) => {
      say(`unhandled ${error.message}`)
      void pool.end()
    })
    void pool.query('select nothing_here')
    await Promise.resolve()
  },

  async callbackRejectsNothing() {
    const pool = new Pool(options)
    process.on('unhandledRejection', () => {
      say('unhandled')
    })
    await new Promise<void>((resolve) => {
      pool.query('syntax error', () => {
        resolve()
      })
    })
    await pool.end()
    say('ended')
  },

  async callbackThrows() {
    const pool = new Pool(options)
    process.once('uncaughtException', (error) => {
      say(`uncaught ${error.message}`)
      void pool.end()
    })
    await pool.query('select 1')
    pool.query('select 1', () => {
      throw new Error('from the callback')
    })
  },
}

void scenarios[env('PARITY_SCENARIO')]!()
