import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { HostsUnreachableError } from '../../../src/errors'
import { Client, type ClientOptions } from '../../../src/facade/client'
import { poll, startCluster, type Cluster } from '../../support'
import { certificate, useTls } from './support/certificate'

/** What names resolve to; a name that is missing here does not exist. */
const names: Readonly<Record<string, readonly string[]>> = {
  'several.test': ['127.0.0.2', '127.0.0.1'],
  'db.test': ['127.0.0.2', '127.0.0.1'],
  'nowhere.test': ['127.0.0.2', '127.0.0.3'],
}

vi.mock('node:dns/promises', () => ({
  lookup: async (name: string) => {
    const addresses = names[name]
    if (addresses === undefined) throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' })
    return addresses.map((address) => ({ address, family: 4 }))
  },
}))

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster({ hosts: 1 })
})
afterAll(() => cluster?.stop())

function client(host: string, more: ClientOptions = {}): Client {
  const { user, password, database, hosts } = cluster
  return new Client({ host, port: hosts[0]!.port, user, password, database, targetSessionAttrs: 'primary', ...more })
}

it('tries every address of a name', async () => {
  const several = client('several.test')
  await several.connect()
  expect(several.host).toBe('127.0.0.1')
  expect((await several.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await several.end()
})

it('goes on from a name that does not resolve, and names host and address of every failure', async () => {
  const after = client('missing.test,several.test')
  await after.connect()
  await after.end()
  const error = await client('missing.test,nowhere.test')
    .connect()
    .catch((reason: unknown) => reason as HostsUnreachableError)
  const { port } = cluster.hosts[0]!
  expect(error).toBeInstanceOf(HostsUnreachableError)
  expect((error as HostsUnreachableError).failures).toMatchObject([
    { host: `missing.test:${port}`, error: { code: 'ENOTFOUND' } },
    { host: `nowhere.test:${port}`, address: '127.0.0.2', error: { code: 'ECONNREFUSED' } },
    { host: `nowhere.test:${port}`, address: '127.0.0.3', error: { code: 'ECONNREFUSED' } },
  ])
  expect((error as Error).message).toContain(`nowhere.test:${port} (127.0.0.3): connect ECONNREFUSED`)
})

it('checks the certificate against the name, whatever address it dials', async () => {
  await useTls(cluster.hosts[0]!)
  const ssl = { ca: certificate, rejectUnauthorized: true }
  await poll(
    async () => {
      const named = client('several.test,db.test', { ssl })
      await named.connect().catch(() => {})
      const { rows } = await named
        .query('select ssl from pg_stat_ssl where pid = pg_backend_pid()')
        .catch(() => ({ rows: [] }))
      await named.end()
      return rows[0]?.ssl === true
    },
    { what: 'a session under TLS', intervalMillis: 50 },
  )
  const error: unknown = await client('several.test', { ssl })
    .connect()
    .catch((reason: unknown) => reason)
  expect(error).toMatchObject({
    failures: [
      { address: '127.0.0.2', error: { code: 'ECONNREFUSED' } },
      { address: '127.0.0.1', error: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } },
    ],
  })
})
