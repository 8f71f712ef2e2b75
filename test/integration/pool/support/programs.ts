import pg from 'pg'
import { Pool } from '../../../../src/index'

// The programs that process-safety.test.ts runs, each in a process of its own; vitest is not here.

const connectionString = process.env['PROGRAM_CONNECTION_STRING'] as string
const leader = process.env['PROGRAM_LEADER'] as string
const listens = process.env['PROGRAM_LISTENS'] === 'yes'

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

process.on('unhandledRejection', (error: Error) => say(`unhandled rejection: ${error.message}`))

const sleep = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))

const makePool = (config: object = {}): Pool => {
  const pool = new Pool({ connectionString, ...config })
  if (listens) pool.on('error', (error: Error & { code?: string }) => say(`pool error: ${error.code ?? error.message}`))
  return pool
}

async function asAdmin<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: leader })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

const pidOf = async (client: pg.PoolClient): Promise<number> =>
  (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid

/** Resolves when the server shows that many statements asleep. */
const untilAsleep = (count: number): Promise<void> =>
  asAdmin(async (admin) => {
    const text = `select pid from pg_stat_activity where wait_event = 'PgSleep'`
    while ((await admin.query(text)).rowCount !== count) await sleep(5)
  })

/** Every kind of client that a pool has: idle, checked out, checked out and busy, busy with a statement of the pool. */
async function everyKind(
  pool: Pool,
): Promise<{ readonly settled: Promise<void>; readonly pid: number; release(): void }> {
  const [idle, checkedOut, busy] = [await pool.connect(), await pool.connect(), await pool.connect()]
  const pid = await pidOf(checkedOut)
  const told = (what: string) => (reason: unknown) => {
    const { name, code, message } = reason as Error & { code?: string }
    say(`${what}: ${name} ${code ?? message}`)
  }
  const settled = Promise.all([
    pool.query('call pg_temp.nothing_here()').catch(() => undefined),
    busy.query('select pg_sleep(600)').catch(told('client.query')),
    pool.query(`do $$ begin perform pg_sleep(600); end $$`).catch(told('pool.query')),
  ])
  idle.release()
  await untilAsleep(2)
  return {
    settled: settled.then(() => undefined),
    pid,
    release() {
      checkedOut.release()
      busy.release()
    },
  }
}

async function stillWorks(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ one: number }>('select 1 as one')
  say(`works: ${rows[0]?.one}`)
}

const terminateAll = (admin: pg.Client): Promise<unknown> =>
  admin.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where backend_type = 'client backend' and pid <> pg_backend_pid()`)

const programs: Record<string, () => Promise<void>> = {
  async terminated() {
    const pool = makePool()
    const { settled, release } = await everyKind(pool)
    await asAdmin(terminateAll)
    await settled
    // The idle one is heard of before anybody asks for it: who was given it would have found it dead.
    while (pool.idleCount > 0) await sleep(1)
    release()
    await stillWorks(pool)
    await pool.end()
    say('ended')
  },

  async killed() {
    const pool = makePool()
    const { settled, release, pid } = await everyKind(pool)
    process.kill(pid, 'SIGKILL')
    await settled
    // The idle one is heard of before anybody asks for it: who was given it would have found it dead.
    while (pool.idleCount > 0) await sleep(1)
    release()
    await stillWorks(pool)
    await pool.end()
    say('ended')
  },

  async stormed() {
    const pool = makePool({ monitor: { intervalMillis: 5, leaderlessIntervalMillis: 5 } })
    const settings = { stop: false }
    const load = Promise.all(
      Array.from({ length: 5 }, async () => {
        while (!settings.stop) await pool.query({ text: 'select 1', readOnly: true })
      }),
    )
    await asAdmin(async (admin) => {
      for (let round = 0; round < 60; round += 1) {
        await terminateAll(admin)
        await sleep(5)
      }
    })
    settings.stop = true
    await load.catch((error: unknown) => say(`failed: ${String(error)}`))
    await stillWorks(pool)
    await pool.end()
    say('ended')
  },

  async exitAfterEnd() {
    const before = process.getActiveResourcesInfo()
    const pool = makePool()
    const client = await pool.connect()
    await Promise.all([pool.query('select 1'), pool.query('select 1'), client.query('select 1')])
    client.release()
    await pool.end()
    const left = (): string[] => process.getActiveResourcesInfo().filter((resource) => !before.includes(resource))
    say(`timers left: ${left().filter((resource) => resource === 'Timeout').length}`)
    // A socket that said goodbye waits for the other side to do so as well, as in pg.
    while (left().length > 0) await new Promise((resolve) => setImmediate(resolve))
    say(`counts: ${pool.totalCount} ${pool.idleCount} ${pool.waitingCount}`)
  },

  async exitAfterIdling() {
    const pool = makePool({ idleTimeoutMillis: 100 })
    await pool.query('select 1')
    process.on('exit', () => say(`total at exit: ${pool.totalCount}`))
  },

  async exitWithoutWork() {
    makePool()
    await sleep(1)
  },

  async endWhileLeaderless() {
    // A port where nobody is.
    const pool = new Pool({ connectionString: 'postgres://nobody@127.0.0.1:1,127.0.0.1:2/nothing' })
    const call = pool.query('select 1').catch((error: unknown) => say(`told: ${(error as Error).message}`))
    await sleep(50)
    await pool.end()
    await call
    say('ended')
  },
}

void programs[process.argv[2] as string]?.()
