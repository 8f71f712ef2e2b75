import pg from 'pg'
import { afterEach, expect, it } from 'vitest'
import { poll } from '../../support'
import { aStandby, keyOf, useCluster } from './support/clusters'
import { usePools } from './support/pools'
import type { Watched } from './support/pools'

const cluster = useCluster({ hosts: 2 })
const makePool = usePools()
const set = new Set<string>()

afterEach(() => {
  for (const name of set) Reflect.deleteProperty(process.env, name)
  set.clear()
})

function setEnvironment(values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) {
    set.add(name)
    process.env[name] = value
  }
}

const portOf = async ({ pool }: Watched): Promise<number> =>
  (await pool.query<{ port: number }>(`select current_setting('port')::int as port`)).rows[0]!.port

const everything = (): Record<string, string> => ({
  PGHOST: cluster()
    .hosts.map(({ host }) => host)
    .join(),
  PGPORT: cluster()
    .hosts.map(({ port }) => String(port))
    .join(),
  PGUSER: cluster().user,
  PGPASSWORD: cluster().password,
  PGDATABASE: cluster().database,
})

it('a pool without any option follows the hosts of the environment', async () => {
  setEnvironment(everything())
  const watched = makePool({})
  expect(await portOf(watched)).toBe((await cluster().primary()).port)
  await cluster().switchover(await aStandby(cluster()))
  expect(await portOf(watched)).toBe((await cluster().primary()).port)
  expect(watched.failovers.length).toBeLessThanOrEqual(1)
})

it('PGTARGETSESSIONATTRS is the pool’s, and each client goes to the host the pool has chosen', async () => {
  setEnvironment({ ...everything(), PGTARGETSESSIONATTRS: 'standby' })
  const watched = makePool({})
  expect(await portOf(watched)).not.toBe((await cluster().primary()).port)
  const client = await watched.pool.connect()
  expect(client.port).not.toBe((await cluster().primary()).port)
  client.release()
})

it('it holds for hosts that are listed in the options as well', async () => {
  setEnvironment({ PGTARGETSESSIONATTRS: 'read-write', PGHOST: 'no-such-host.invalid,neither.invalid' })
  const watched = makePool({ connectionString: cluster().connectionString() })
  expect(await portOf(watched)).toBe((await cluster().primary()).port)
  expect(watched.pool.topology.hosts).toHaveLength(2)
})

it.each([
  { failoverTimeoutMillis: 10_000 },
  { maxWaiting: 5 },
  { monitor: { intervalMillis: 500 } },
  { monitor: false as const },
  { aliveCheckMillis: 0 },
  { loadBalanceHosts: 'random' as const },
  { targetSessionAttrs: 'primary' as const },
])('an option of ours changes nothing about where clients go: %j', async (option) => {
  const watched = makePool({ connectionString: cluster().connectionString(), ...option })
  const primary = await cluster().primary()
  expect(await portOf(watched)).toBe(primary.port)
  const one = makePool({ connectionString: cluster().connectionStringFor(primary), ...option })
  expect(await portOf(one)).toBe(primary.port)
  // ORMs make clients of their own this way.
  const { Client, options } = watched.pool as unknown as { Client: typeof pg.Client; options: pg.ClientConfig }
  const client = new Client(options)
  await client.connect()
  expect(client.port).toBe(primary.port)
  await client.end()
})

it('type parsers of the application, of one pool or of all, do not reach the monitors', async () => {
  const getTypeParser = (): ((text: string) => string) => (text) => `[${text}]`
  const portText = `select current_setting('port') as port, true as yes`
  const primary = await cluster().primary()
  const own = makePool({ connectionString: cluster().connectionString(), types: { getTypeParser } })
  const shared = makePool({ connectionString: cluster().connectionString() })
  // Only as long as nobody else in this process asks a server for a truth value.
  const { BOOL } = pg.types.builtins
  const ofAll: (text: string) => unknown = pg.types.getTypeParser(BOOL)
  pg.types.setTypeParser(BOOL, (text) => `<${text}>`)
  try {
    expect((await own.pool.query(portText)).rows).toEqual([{ port: `[${primary.port}]`, yes: '[t]' }])
    expect((await shared.pool.query(portText)).rows).toEqual([{ port: `${primary.port}`, yes: '<t>' }])
    for (const { pool } of [own, shared]) {
      const known = (): boolean => pool.topology.hosts.every(({ role }) => role !== 'unknown')
      await poll(known, { what: 'both hosts have answered' })
    }
  } finally {
    pg.types.setTypeParser(BOOL, ofAll)
  }
  const standby = await aStandby(cluster())
  for (const { pool, splitBrains } of [own, shared]) {
    const { timeline } = pool.topology
    expect(pool.topology.hosts).toContainEqual(
      expect.objectContaining({ host: keyOf(primary), role: 'leader', timeline }),
    )
    expect(pool.topology.hosts).toContainEqual(expect.objectContaining({ host: keyOf(standby), role: 'standby' }))
    expect(timeline).toBeGreaterThan(0)
    expect(splitBrains).toEqual([])
  }
  await cluster().switchover(standby)
  expect((await own.pool.query(portText)).rows).toEqual([{ port: `[${standby.port}]`, yes: '[t]' }])
})
