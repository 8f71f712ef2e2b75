import { chmodSync, chownSync, copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

import { resolveOptions } from '../../../src/client/conninfo/resolve-options'
import { processSurroundings } from '../../../src/client/conninfo/surroundings'
import { poll, startCluster } from '../../support'
import type { Cluster, Host } from '../../support'

const lowest = createRequire(import.meta.url)('pg-8.16') as typeof pg
/** The one name in the server's certificate, which no resolver knows. */
const name = 'db.pg-leader.test'
const certificate = fileURLToPath(new URL('tls/server.crt', import.meta.url))
const ca = readFileSync(certificate, 'utf8')

let cluster: Cluster
let server: Host
let directory: string

beforeAll(async () => {
  cluster = await startCluster({ hosts: 1 })
  server = cluster.hosts[0] as Host
  directory = mkdtempSync(join(tmpdir(), 'pg-leader-conninfo-'))
  const { uid, gid } = statSync(server.dataDirectory)
  for (const file of ['server.crt', 'server.key']) {
    const path = join(server.dataDirectory, file)
    copyFileSync(fileURLToPath(new URL(`tls/${file}`, import.meta.url)), path)
    if (process.getuid?.() === 0) chownSync(path, uid, gid)
    chmodSync(path, 0o600)
  }
  await server.query('alter system set ssl = on')
  await server.restart()
})
afterAll(async () => {
  await cluster.stop()
  rmSync(directory, { recursive: true, force: true })
})

describe.each([
  ['the newest pg', pg],
  ['the lowest pg', lowest],
])('%s', (_, driver) => {
  /** Connects to the only host of the options and tells whether with TLS. */
  async function connect(options: object | string, env: Readonly<Record<string, string>> = {}): Promise<boolean> {
    const follow = resolveOptions(options, { ...processSurroundings(), env })
    const client = new driver.Client(follow.clientOptions(follow.hosts[0] as never))
    client.on('error', () => undefined)
    try {
      await client.connect()
      const { rows } = await client.query<{ ssl: boolean }>('select ssl from pg_stat_ssl where pid = pg_backend_pid()')
      return rows[0]?.ssl === true
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  const base = () => ({ user: cluster.user, password: cluster.password, database: cluster.database, port: server.port })
  const uri = (host: string, parameters: Readonly<Record<string, string>>) =>
    `postgres://${cluster.user}:${encodeURIComponent(cluster.password)}@${host}:${String(server.port)}/${cluster.database}?` +
    new URLSearchParams({ hostaddr: '127.0.0.1', ...parameters }).toString()

  it('dials the address and checks the name', async () => {
    expect(await connect({ ...base(), host: name, hostaddr: '127.0.0.1', ssl: { ca } })).toBe(true)
    expect(await connect(uri(name, { sslmode: 'verify-full', sslrootcert: certificate }))).toBe(true)
    expect(await connect(uri(name, { sslmode: 'require', sslrootcert: certificate }))).toBe(true)
    expect(
      await connect({ ...base(), hosts: [{ host: name, hostaddr: '127.0.0.1', port: server.port, ssl: { ca } }] }),
    ).toBe(true)
  })

  it('refuses a certificate of another name, or of nobody it knows', async () => {
    const wrongName = { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }
    await expect(connect({ ...base(), host: 'other.test', hostaddr: '127.0.0.1', ssl: { ca } })).rejects.toMatchObject(
      wrongName,
    )
    await expect(connect(uri('10.1.2.3', { sslmode: 'verify-full', sslrootcert: certificate }))).rejects.toMatchObject(
      wrongName,
    )
    // pg's meaning of "require", not libpq's: swapping an import must not drop verification.
    await expect(connect(uri(name, { sslmode: 'require' }))).rejects.toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    })
    await expect(connect({ ...base(), host: name, hostaddr: '127.0.0.1', ssl: true })).rejects.toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    })
  })

  it("takes libpq's meaning of require only if the string says so", async () => {
    expect(await connect(uri(name, { sslmode: 'require', uselibpqcompat: 'true' }))).toBe(true)
    expect(await connect(uri(name, { sslmode: 'no-verify' }))).toBe(true)
    expect(await connect(uri(name, { sslmode: 'disable' }))).toBe(false)
    expect(await connect(uri(name, {}))).toBe(false)
  })

  it('binds the channel where that is demanded', async () => {
    expect(
      await connect(uri(name, { sslmode: 'verify-full', sslrootcert: certificate, channel_binding: 'require' })),
    ).toBe(true)
  })

  it('takes the password from a password file by host name, and nothing else from the environment than PG*', async () => {
    const passfile = join(directory, 'passwords')
    const { user, database } = cluster
    const line = [name, server.port, database, user, cluster.password.replaceAll(/[\\:]/g, '\\$&')].join(':')
    writeFileSync(passfile, `127.0.0.1:${String(server.port)}:*:*:wrong\n${line}\n`, { mode: 0o600 })
    const env = { PGPASSFILE: passfile, PGUSER: user, PGDATABASE: database, PGPORT: String(server.port) }
    expect(await connect(`host=${name} hostaddr=127.0.0.1`, env)).toBe(false)
    await expect(connect('hostaddr=127.0.0.1', env)).rejects.toMatchObject({ code: '28P01' })
  })

  it('reaches a Unix socket without TLS, whatever sslmode says', async () => {
    const text = `host=${server.socketDirectory} port=${String(server.port)} user=${cluster.user} dbname=${cluster.database} sslmode=verify-full`
    expect(await connect({ connectionString: text, password: cluster.password })).toBe(false)
  })

  it('sends no password where none was found: pg searches no password file of its own', async () => {
    const passfile = join(directory, 'all')
    writeFileSync(passfile, `*:*:*:*:${cluster.password.replaceAll(/[\\:]/g, '\\$&')}\n`, { mode: 0o600 })
    // Where pg's own search would look.
    vi.stubEnv('PGPASSFILE', passfile)
    const to = `hostaddr=127.0.0.1 port=${String(server.port)} dbname=${cluster.database}`
    try {
      expect(await connect(`${to} user=${cluster.user} passfile=${passfile}`)).toBe(false)
      // It stands for whatever way to prove who one is.
      for (const method of ['scram-sha-256', 'md5', 'password']) {
        await admit(method)
        await expect(connect(`${to} user=asked passfile=/nowhere`)).rejects.toMatchObject({
          code: '28P01',
          message: expect.stringContaining('no password supplied'),
        })
      }
      await admit('trust')
      expect(await connect(`${to} user=asked passfile=/nowhere`)).toBe(false)
    } finally {
      vi.unstubAllEnvs()
    }
  })
})

/** Lets the user `asked` in by this method. */
async function admit(method: string): Promise<void> {
  await server.query("do $$ begin create role asked login password 'p'; exception when duplicate_object then end $$")
  const path = join(server.dataDirectory, 'pg_hba.conf')
  const others = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => !line.includes(' asked '))
  writeFileSync(path, [`host all asked 127.0.0.1/32 ${method}`, ...others].join('\n'))
  const encryption = method === 'md5' ? 'md5' : "'scram-sha-256'"
  await server.query(`set password_encryption = ${encryption}; alter role asked password 'p'`)
  const loaded = async () => (await server.query('select pg_conf_load_time()::text as at'))[0]?.['at']
  const before = await loaded()
  await server.query('select pg_reload_conf()')
  await poll(async () => (await loaded()) !== before, { what: `the rule ${method}` })
}
