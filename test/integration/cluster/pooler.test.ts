import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Pooler, startCluster } from '../../support'
import type { Cluster, Host } from '../../support'

let cluster: Cluster
let pooler: Pooler
let primary: Host
const clients: pg.Client[] = []

beforeAll(async () => {
  cluster = await startCluster({ hosts: 1 })
  primary = await cluster.primary()
})
afterAll(() => cluster.stop())
afterEach(async () => {
  for (const client of clients.splice(0)) await client.end()
  await pooler.close()
})

async function connected(): Promise<pg.Client & { readonly processID: number }> {
  const { user, password, database } = cluster
  const client = new pg.Client({ host: '127.0.0.1', port: pooler.port, user, password, database, ssl: false })
  client.on('error', () => undefined)
  await client.connect()
  clients.push(client)
  return client as pg.Client & { readonly processID: number }
}

const pid = async (client: pg.Client, values?: unknown[]): Promise<number> =>
  (await client.query<{ pid: number }>('select pg_backend_pid() as pid', values)).rows[0]!.pid

it('lends a session for one transaction, in both protocols, and names a process that no server has', async () => {
  pooler = await Pooler.start(cluster, primary, { size: 2 })
  const [one, other] = [await connected(), await connected()]
  await one.query('begin')
  const held = await pid(one)
  expect(await pid(one, [])).toBe(held)
  const lent = await pid(other)
  expect(lent).not.toBe(held)
  // Nothing else is free.
  expect(await pid(other, [])).toBe(lent)
  await one.query('commit')
  // The one that was idle longest is next.
  expect([await pid(one), await pid(one)]).toEqual([lent, held])
  expect([one.processID, other.processID]).not.toContain(held)
  expect(pooler.serverPorts).toEqual([primary.port, primary.port])
})

it('makes whoever finds no session free wait for one', async () => {
  pooler = await Pooler.start(cluster, primary, { size: 1 })
  const [one, other] = [await connected(), await connected()]
  await one.query('begin')
  const held = await pid(one)
  const waits = pid(other)
  await one.query('commit')
  expect(await waits).toBe(held)
})

it('says in a way of its own that a server is lost, and gives nobody a session with half a transaction', async () => {
  pooler = await Pooler.start(cluster, primary, { size: 1 })
  const [one, other] = [await connected(), await connected()]
  await one.query('begin')
  const held = await pid(one)
  const { connection } = one as unknown as { connection: { stream: { destroy(): void } } }
  connection.stream.destroy()
  expect(await pid(other)).not.toBe(held)
  pooler.atEndOf(/select 1/, () => 'lost')
  const lost = await other.query('select 1').catch((error: unknown) => error)
  expect(lost).toMatchObject({ code: '08P01', severity: 'ERROR', routine: undefined })
})

it('goes elsewhere when it is switched, at once or as its sessions end', async () => {
  pooler = await Pooler.start(cluster, primary, { size: 1 })
  const next = await cluster.addHost()
  const client = await connected()
  pooler.switchTo(next, { old: 'stays' })
  await client.query('select 1')
  expect(pooler.serverPorts).toEqual([primary.port])
  await client.query('begin')
  pooler.switchTo(next)
  await client.query('commit')
  await client.query('select 1')
  expect(pooler.serverPorts).toEqual([next.port])
})
