import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import pg from 'pg'
import { Client, parseConnInfo, Pool, wrap } from '../../../../src/index'
import type { PoolConfig } from '../../../../src/index'

// The program that secrets.test.ts runs in a process of its own. Whatever can be printed of this library, it prints.

const env = process.env as Readonly<Record<string, string>>
const [right, wrong, bound] = [env['PROGRAM_RIGHT']!, env['PROGRAM_WRONG']!, env['PROGRAM_BOUND']!]
const hosts = env['PROGRAM_PORTS']!.split(',').map((port) => ({ host: '127.0.0.1', port: Number(port) }))
// What the program was told does not count as told by it.
for (const name of ['RIGHT', 'WRONG', 'BOUND']) Reflect.deleteProperty(process.env, `PROGRAM_${name}`)

const directory = mkdtempSync(join(tmpdir(), 'pg-leader-secrets-'))
const user = 'keeper'
const database = 'postgres'
const list = hosts.map(({ host, port }) => `${host}:${port}`).join(',')
const lists = { host: hosts.map(({ host }) => host).join(','), port: hosts.map(({ port }) => port).join(',') }

function show(what: string, value: unknown): void {
  const printed = [inspect(value), inspect(value, { depth: 8 }), String(value)]
  try {
    printed.push(JSON.stringify(value))
  } catch (error) {
    printed.push(String(error))
  }
  process.stdout.write(`${what}: ${printed.join('\n')}\n`)
}

async function told(what: string, act: () => unknown): Promise<void> {
  try {
    show(`${what} gave`, await act())
  } catch (error) {
    show(`${what} told`, error)
  }
}

function file(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text, { mode: 0o600 })
  return path
}

/** Every place by which a password gets in. */
const entrances: Readonly<Record<string, (password: string) => PoolConfig>> = {
  uri: (password) => ({ connectionString: `postgres://${user}:${password}@${list}/${database}` }),
  'uri parameter': (password) => ({ connectionString: `postgres://${user}@${list}/${database}?password=${password}` }),
  'keyword = value': (password) => ({
    connectionString: `host=${lists.host} port=${lists.port} user=${user} dbname=${database} password='${password}'`,
  }),
  option: (password) => ({ hosts, user, database, password }),
  function: (password) => ({ hosts, user, database, password: () => Promise.resolve(password) }),
  'single host': (password) => ({ hosts: hosts.map((host) => ({ ...host, user, password })), database }),
  'password file': (password) => ({
    connectionString: `postgres://${user}@${list}/${database}?passfile=${file('passwords', `*:*:*:*:${password}\n`)}`,
  }),
  'service file': (password) => {
    process.env['PGSERVICEFILE'] = file('services', `[shop]\nuser=${user}\npassword=${password}\ndbname=${database}\n`)
    return { connectionString: `postgres://${list}/?service=shop` }
  },
  environment: (password) => {
    process.env['PGPASSWORD'] = password
    return { hosts, user, database }
  },
  'one host': (password) => ({ connectionString: `postgres://${user}:${password}@${list.split(',')[0]}/${database}` }),
}

const events = ['connect', 'acquire', 'release', 'remove', 'error', 'topology', 'failover', 'splitBrain'] as const
let last: unknown

function watched(pool: Pool, what: string): Pool {
  for (const event of events) {
    pool.on(event as 'error', (...args: unknown[]) => {
      if (event === 'error') last = args[0]
      for (const arg of args) show(`${what}, event ${event}`, arg)
    })
  }
  return pool
}

async function throughFailures(what: string, pool: Pool): Promise<void> {
  const sleeping = 'select pg_sleep(600), $1::text as bound'
  await told(`${what}, division`, () => pool.query('select 1 / 0, $1::text', [bound]))
  const client = await pool.connect()
  client.on('error', (error) => show(`${what}, client error`, error))
  const lost = [
    told(`${what}, statement on a client`, () => client.query({ text: sleeping, values: [bound] })),
    told(`${what}, unknown outcome`, () => pool.query(`do $$ begin perform pg_sleep(600); end $$`)),
    told(`${what}, no more replays`, () =>
      pool.query({ text: 'select pg_terminate_backend(pg_backend_pid()), $1::text', values: [bound] }),
    ),
  ]
  const idle = await pool.connect()
  show(`${what}, busy client`, client)
  show(`${what}, busy pool`, pool)
  show(`${what}, options`, pool.options)
  show(`${what}, topology`, pool.topology)
  idle.release()
  await lost[2]
  // One more that is idle when all are ended: its pool has an error to tell.
  const spare = await pool.connect()
  spare.release()
  const admin = new pg.Client({
    host: '127.0.0.1',
    port: hosts[0]!.port,
    user,
    password: right,
    database,
    application_name: 'admin',
  })
  await admin.connect()
  while ((await admin.query(`select from pg_stat_activity where wait_event = 'PgSleep'`)).rowCount !== 2);
  await admin.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where usename = $1 and pid <> pg_backend_pid()`,
    [user],
  )
  await admin.end()
  await Promise.all(lost)
  client.release()
  await told(`${what}, again`, () => pool.query('select 1 as one'))
  await pool.end()
}

async function main(): Promise<void> {
  for (const [what, entrance] of Object.entries(entrances)) {
    await throughFailures(what, watched(new Pool(entrance(right)), what))
    const config = { ...entrance(wrong), failoverTimeoutMillis: 2000 }
    const refused = watched(new Pool(what === 'one host' ? entrance(wrong) : config), what)
    await told(`${what}, wrong password`, () => refused.query('select $1::text', [bound]))
    await refused.end()
    const client = new Client(entrance(wrong))
    client.on('error', (error) => show(`${what}, client error`, error))
    await told(`${what}, client with a wrong password`, () => client.connect())
    show(`${what}, client`, client)
    delete process.env['PGPASSWORD']
    delete process.env['PGSERVICEFILE']
  }
  const plain = new pg.Pool(entrances['one host']!(right) as pg.PoolConfig)
  await throughFailures('wrapped', watched(wrap(plain, { hosts }), 'wrapped'))

  const nobody = {
    hosts: [
      { host: '127.0.0.1', port: 1, password: wrong },
      { host: 'db.invalid', password: wrong },
    ],
  }
  const limits = { user, database, password: wrong, failoverTimeoutMillis: 100, maxWaiting: 1 }
  const held = watched(new Pool({ ...nobody, ...limits }), 'held')
  await Promise.all([1, 2].map((count) => told(`held ${count}`, () => held.query('select $1::text', [bound]))))
  await told('nobody', () => new Client({ ...nobody, ...limits }).connect())
  await told('ended', async () => (await held.end(), held.query('select $1::text', [bound])))

  const ssl = { ca: 'no certificate', key: wrong, passphrase: wrong, pfx: wrong }
  for (const config of [
    { hosts, ssl },
    { hosts: hosts.map((host) => ({ ...host, ssl })) },
    { connectionString: `postgres://${list}/?sslmode=verify-full&sslkey=${file('key', wrong)}&sslpassword=${wrong}` },
  ]) {
    const pool = watched(new Pool({ user, database, password: wrong, failoverTimeoutMillis: 100, ...config }), 'tls')
    await told('tls', () => pool.query('select 1'))
    show('tls pool', pool)
    show('tls options', pool.options)
    await pool.end()
    await told('tls client', () => new Client({ user, database, password: wrong, ...config }).connect())
  }

  for (const text of [
    `postgres://${user}:${wrong}@a:x,b/d`,
    `postgres://${user}:${wrong}%zz@a,b/d`,
    `postgres://${user}:${wrong}/@a,b/d`,
    `postgres://${user}:${wrong}@[::1,b/d`,
    `postgres://${user}:pass@${wrong}@a,b/d`,
    `postgres://a,b/d?password=${wrong}&password`,
    `postgres://a,b/d?passwort=${wrong}`,
    `host=a,b passwort=${wrong}`,
    `host=a,b password='${wrong}`,
    `host=a,b password=x ${wrong}`,
    `host=a,b port=1,2,3 password=${wrong}`,
    `host=a,b password=${wrong} sslmode=sometimes`,
    `host=a,b password=${wrong} connect_timeout=soon`,
    `host=a,b password=${wrong} service=nowhere`,
    `host=a,b password=${wrong} require_auth=scram-sha-256`,
  ]) {
    await told('malformed', () => void parseConnInfo(text))
    await told('malformed pool', () => new Pool({ connectionString: text, targetSessionAttrs: 'primary' }))
    await told('malformed client', () => new Client({ connectionString: text, targetSessionAttrs: 'primary' }))
    await told('misplaced', () => new (Pool as unknown as new (text: string) => Pool)(text))
  }

  // What a diagnostic report says of the environment is the user's own.
  const { environmentVariables: _, ...report } = process.report.getReport() as Record<string, unknown>
  show('report', report)
  rmSync(directory, { recursive: true })
  process.stdout.write(`the last error has a client: ${typeof (last as { client?: unknown }).client === 'object'}\n`)
  process.stdout.write('all was said\n')
  throw last as Error
}

void main()
