import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Client, HostSelectionTimeoutError } from '../../../src/index'
import type { ClientOptions, HostOptions, PoolConfig } from '../../../src/index'
import { defaultMajor, poll } from '../../support'
import type { Host } from '../../support'
import { useCluster } from '../pool/support/clusters'
import { rejection, usePools } from '../pool/support/pools'
import { createAuthority, serveTls } from './support/certificates'
import type { Authority, Certified } from './support/certificates'
import { sslRequest, terminate, startInterceptor, startRecorder } from './support/relays'

const cluster = useCluster({ hosts: 3, settings: { log_connections: 'on' } })
const makePool = usePools()
const name = (index: number): string => `db${index + 1}.doors.test`
const isTls = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'

let authority: Authority
let stranger: Authority
let own: readonly Certified[]
let third: Awaited<ReturnType<typeof startRecorder>>

beforeAll(async () => {
  authority = createAuthority()
  stranger = createAuthority('stranger')
  own = cluster().hosts.map((_, index) => authority.issue(name(index)))
  for (const [index, host] of cluster().hosts.entries()) await useCertificate(host, own[index])
  third = await startRecorder(cluster().hosts[2]!.port)
})
afterAll(async () => {
  await third?.close()
  authority?.remove()
  stranger?.remove()
})

/** Until a client that asks sees it. */
async function useCertificate(host: Host, certified: Certified | undefined): Promise<void> {
  // A standby cannot ALTER SYSTEM what it replays, but it may have its own postgresql.auto.conf.
  await serveTls(host, certified, authority.ca)
  const { port } = host
  await poll(async () => (await presented(port)) === certified?.cert, { what: `${host.name} presents it` })
}

async function presented(port: number): Promise<string | undefined> {
  const client = new Client({ ...login(), host: '127.0.0.1', port, ssl: { rejectUnauthorized: false } })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { raw } = (
      client.connection.stream as unknown as { getPeerCertificate(): { raw: Buffer } }
    ).getPeerCertificate()
    const text = raw.toString('base64').replaceAll(/.{64}/g, '$&\n')
    return `-----BEGIN CERTIFICATE-----\n${text.trim()}\n-----END CERTIFICATE-----\n`
  } catch (error) {
    if ((error as Error).message === 'The server does not support SSL connections') return undefined
    throw error
  } finally {
    await client.end().catch(() => undefined)
  }
}

function login(): { user: string; password: string; database: string } {
  const { user, password, database } = cluster()
  return { user, password, database }
}

const entry = (index: number, port = cluster().hosts[index]!.port): HostOptions => ({
  host: name(index),
  hostaddr: '127.0.0.1',
  port,
})
/** The third host comes first, by way of the recorder. */
const everyone = (): HostOptions[] => [entry(2, third.port), entry(0), entry(1)]
const verifying = (): PoolConfig => ({ ...login(), ssl: { ca: authority.ca }, application_name: 'doors' })

async function oneClient(options: ClientOptions): Promise<{ port: number; tls: boolean }> {
  const client = new Client(options)
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<{ ssl: boolean }>(isTls)
    return { port: client.port, tls: rows[0]!.ssl }
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Nothing but a request for TLS and TLS itself was ever sent: no startup packet, no name, no password. */
function expectNothingInClear(): void {
  expect(third.recorded.length).toBeGreaterThan(0)
  for (const bytes of third.recorded) {
    expect(bytes.subarray(0, 8)).toEqual(sslRequest.subarray(0, bytes.length))
    // A TLS handshake record, or nothing; whoever is refused TLS may say good-bye.
    const rest = bytes.subarray(8)
    if (rest.length > 0 && !rest.equals(terminate)) expect(rest[0]).toBe(0x16)
    for (const word of Object.values(login())) expect(bytes.includes(word)).toBe(false)
    expect(bytes.includes('doors\0')).toBe(false)
  }
}

async function expectNobodyCameIn(host: Host): Promise<void> {
  const [row] = await host.query<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity where application_name = 'doors'`,
  )
  expect(row?.count).toBe(0)
  expect(await host.log()).not.toMatch(/connection authorized.*application_name=doors/)
}

describe('a host that does not verify', () => {
  const bad = (): Readonly<Record<string, readonly [Certified | undefined, RegExp]>> => ({
    'the certificate of another host': [own[1], /altnames/],
    'a certificate of an authority nobody knows': [stranger.issue(name(2)), /certificate/],
    'a certificate that has expired': [authority.issue(name(2), { days: -1 }), /expired/],
    'no TLS at all': [undefined, /does not support SSL/],
  })

  it('is never used, and never spoken to in clear; the others are', async () => {
    const [leader, , host] = cluster().hosts
    for (const [what, [certificate, reason]] of Object.entries(bad())) {
      await useCertificate(host!, certificate)
      const { pool } = makePool({ ...verifying(), hosts: everyone() })
      expect((await pool.query<{ ssl: boolean }>(isTls)).rows, what).toEqual([{ ssl: true }])
      expect(pool.topology.leader).toBe(`${name(0)}:${leader!.port}`)
      await poll(() => reason.test(pool.topology.hosts[0]?.reason ?? ''), { what: `${what} is known` })
      await pool.end()

      for (const targetSessionAttrs of ['any', 'read-write', 'standby'] as const) {
        const taken = await oneClient({ ...verifying(), hosts: everyone(), targetSessionAttrs })
        expect(taken, what).toEqual({
          port: cluster().hosts[targetSessionAttrs === 'standby' ? 1 : 0]!.port,
          tls: true,
        })
      }
      const text = `postgres://${login().user}@${name(2)}:${third.port},${name(0)}:${leader!.port}/${login().database}`
      const options = `hostaddr=127.0.0.1,127.0.0.1&sslmode=verify-full&sslrootcert=${authority.caFile}&application_name=doors`
      const named = await oneClient({ connectionString: `${text}?${options}`, password: login().password })
      expect(named, what).toEqual({ port: leader!.port, tls: true })
      const alone = oneClient({ ...verifying(), hosts: [entry(2, third.port)], targetSessionAttrs: 'any' })
      expect((await rejection(alone)).message, what).toMatch(reason)
    }
    expectNothingInClear()
    await expectNobodyCameIn(host!)
  })

  it('is not used when it is the only leader either, until it verifies', async () => {
    const [leader, standby, host] = cluster().hosts
    await useCertificate(host!, own[1])
    const { pool } = makePool({ ...verifying(), hosts: everyone(), failoverTimeoutMillis: 20_000 })
    const impatient = makePool({ ...verifying(), hosts: everyone(), failoverTimeoutMillis: 1500 }).pool
    for (const each of [pool, impatient]) await each.query('select 1')
    await leader!.kill()
    await cluster().promote(host!)

    const error = await rejection(impatient.query('select 1'))
    expect(error).toBeInstanceOf(HostSelectionTimeoutError)
    expect(error.message).toMatch(/altnames/)
    const held = pool.query<{ ssl: boolean }>(isTls)
    expectNothingInClear()
    await expectNobodyCameIn(host!)

    await useCertificate(host!, own[2])
    expect((await held).rows).toEqual([{ ssl: true }])
    expect(pool.topology.leader).toBe(`${name(2)}:${third.port}`)
    expectNothingInClear()

    // And on to one that verifies under its own name, dialled and watched by it.
    await host!.kill()
    await cluster().promote(standby!)
    expect((await pool.query<{ ssl: boolean }>(isTls)).rows).toEqual([{ ssl: true }])
    expect(pool.topology.leader).toBe(`${name(1)}:${standby!.port}`)
  })
})

/** The second host leads by now, alone. */
describe('the ways to speak TLS', () => {
  const leader = (): Host => cluster().hosts[1]!
  const uri = (parameters: Readonly<Record<string, string>>, port = leader().port, user = login().user): string => {
    const query = new URLSearchParams({ hostaddr: '127.0.0.1,127.0.0.1', ...parameters }).toString()
    return `postgres://${user}@db2.doors.test:${port},db2.doors.test:${port}/${login().database}?${query}`
  }
  const via = (text: string, password: ClientOptions['password'] = login().password): Promise<{ tls: boolean }> =>
    oneClient({ connectionString: text, password })

  it('verify-ca takes any name of an authority that is known, verify-full that of the host', async () => {
    await useCertificate(leader(), own[0])
    const sslrootcert = authority.caFile
    const libpqs = { sslmode: 'verify-ca', sslrootcert, uselibpqcompat: 'true' }
    expect(await via(uri(libpqs))).toMatchObject({ tls: true })
    expect((await rejection(via(uri({ ...libpqs, sslrootcert: stranger.caFile })))).message).toMatch(/certificate/)
    // pg's own meaning of verify-ca is that of verify-full: an import that is swapped loses no verification.
    for (const sslmode of ['verify-ca', 'verify-full']) {
      expect((await rejection(via(uri({ sslmode, sslrootcert })))).message).toMatch(/altnames/)
    }
    await useCertificate(leader(), own[1])
    expect(await via(uri({ sslmode: 'verify-full', sslrootcert }))).toMatchObject({ tls: true })
  })

  it('direct negotiation sends no request in clear, and is refused where there is no TLS', async () => {
    const recorder = await startRecorder(leader().port)
    const direct = { sslnegotiation: 'direct', sslmode: 'verify-full', sslrootcert: authority.caFile }
    if (defaultMajor() < 17) {
      // A server that does not know it yet closes the connection; it is not spoken to in another way then.
      expect(await rejection(via(uri(direct, recorder.port)))).toMatchObject({ name: 'HostsUnreachableError' })
    } else {
      expect(await via(uri(direct, recorder.port))).toMatchObject({ tls: true })
      const { pool } = makePool({ connectionString: uri(direct, recorder.port), password: login().password })
      expect((await pool.query<{ ssl: boolean }>(isTls)).rows).toEqual([{ ssl: true }])
      expect(recorder.recorded.length).toBeGreaterThan(2)
      await pool.end()
    }
    expect(recorder.recorded.length).toBeGreaterThan(0)
    for (const bytes of recorder.recorded) {
      expect(bytes[0]).toBe(0x16)
      expect(bytes.includes('postgresql')).toBe(true)
    }
    await recorder.close()
    const off = uri({ sslnegotiation: 'direct', sslmode: 'disable' })
    for (const make of [() => makePool({ connectionString: off }), () => new Client(off)]) {
      expect(make).toThrow('sslnegotiation=direct needs TLS, which is off for db2.doors.test')
    }
  })

  it('a client certificate, its key encrypted, in place of a password', async () => {
    const user = 'certified'
    const secret = 'pass-phrase'
    const [mine, other] = [authority.issue(user, { passphrase: secret }), stranger.issue(user)]
    await leader().query(`create role ${user} login`)
    const rules = join(leader().dataDirectory, 'pg_hba.conf')
    writeFileSync(rules, `hostssl all ${user} 127.0.0.1/32 cert\n${readFileSync(rules, 'utf8')}`)
    await leader().query('select pg_reload_conf()')
    const of = ({ certFile, keyFile }: Certified, more: Readonly<Record<string, string>> = {}): string =>
      uri(
        { sslmode: 'verify-full', sslrootcert: authority.caFile, sslcert: certFile, sslkey: keyFile, ...more },
        leader().port,
        user,
      )
    const text = of(mine, { sslpassword: secret })
    await poll(
      () =>
        via(text, 'unused').then(
          ({ tls }) => tls,
          () => false,
        ),
      { what: 'the rule is read' },
    )
    const { pool } = makePool({ connectionString: text })
    expect((await pool.query<{ ssl: boolean }>(isTls)).rows).toEqual([{ ssl: true }])
    await rejection(via(of(other)))
    await rejection(via(uri({ sslmode: 'verify-full', sslrootcert: authority.caFile }, leader().port, user)))
    const wrong = await rejection(via(of(mine, { sslpassword: 'wrong' })))
    expect(`${wrong.message}${String(wrong.stack)}`).not.toContain(secret)
  })

  it('channel binding notices a man in the middle whose certificate is valid', async () => {
    const man = await startInterceptor(leader().port, authority.issue(name(1)))
    const full = { sslmode: 'verify-full', sslrootcert: authority.caFile }
    expect(await via(uri(full, man.port))).toMatchObject({ tls: true })
    for (const channel_binding of ['prefer', 'require']) {
      expect(await via(uri({ ...full, channel_binding }))).toMatchObject({ tls: true })
      const noticed = await rejection(via(uri({ ...full, channel_binding }, man.port)))
      expect(noticed).toMatchObject({ code: '28000', severity: 'FATAL' })
    }
    const connectionString = uri({ ...full, channel_binding: 'require' }, man.port)
    const { pool } = makePool({ connectionString, password: login().password })
    expect(await rejection(pool.query('select 1'))).toMatchObject({ code: '28000' })
    await man.close()
  })
})
