import { expect, it } from 'vitest'
import { poll } from '../../support'
import type { TargetSessionAttrs } from '../../../src/index'
import { aStandby, heal, keyOf, useCluster } from './support/clusters'
import { rejection, usePools } from './support/pools'
import type { Watched } from './support/pools'

const cluster = useCluster()
const makePool = usePools()

const portOf = async ({ pool }: Watched): Promise<number> =>
  (await pool.query<{ port: number }>(`select current_setting('port')::int as port`)).rows[0]!.port

const following = (targetSessionAttrs: TargetSessionAttrs, config: object = {}): Watched =>
  makePool({ connectionString: cluster().connectionString(), targetSessionAttrs, ...config })

it.each(['standby', 'read-only', 'prefer-standby'] as const)('%s goes to a standby', async (attrs) => {
  const primary = await cluster().primary()
  const watched = following(attrs)
  expect(await portOf(watched)).not.toBe(primary.port)
  await poll(() => watched.pool.topology.leader === keyOf(primary), { what: 'the leader is known' })
})

it.each(['primary', 'read-write'] as const)('%s goes to the leader', async (attrs) => {
  const primary = await cluster().primary()
  expect(await portOf(following(attrs))).toBe(primary.port)
})

it('any goes to whatever host has answered', async () => {
  expect(cluster().hosts.map(({ port }) => port)).toContain(await portOf(following('any')))
})

it('load_balance_hosts=random uses every standby', async () => {
  const primary = await cluster().primary()
  const watched = following('standby', { loadBalanceHosts: 'random', max: 30 })
  await portOf(watched)
  const ports = new Set(await Promise.all(Array.from({ length: 30 }, () => portOf(watched))))
  expect([...ports].sort()).toEqual(
    cluster()
      .hosts.filter((host) => host !== primary)
      .map(({ port }) => port)
      .sort(),
  )
})

it('a standby pool survives the loss of its standby, and no read fails', async () => {
  await heal(cluster())
  const watched = following('standby')
  const port = await portOf(watched)
  const lost = cluster().hosts.find((host) => host.port === port)!
  const reads: Promise<number>[] = []
  let killed = false
  const killing = lost.kill().then(() => (killed = true))
  const read = async (): Promise<number> =>
    (
      await watched.pool.query<{ port: number }>({
        text: `select current_setting('port')::int as port`,
        readOnly: true,
      })
    ).rows[0]!.port
  while (!killed) {
    reads.push(read())
    await reads.at(-1)
  }
  await killing
  expect(await read()).not.toBe(port)
  const primary = await cluster().primary()
  expect(new Set(await Promise.all(reads))).not.toContain(primary.port)
  expect(watched.failovers).toEqual([])
  await lost.start()
})

it('the loss of the leader does not touch reads on standbys', async () => {
  await heal(cluster())
  const primary = await cluster().primary()
  const watched = following('standby', { failoverTimeoutMillis: 5000 })
  const before = await portOf(watched)
  await primary.kill()
  await poll(() => watched.pool.topology.leader === undefined, { what: 'the loss of the leader is noticed' })
  expect(await portOf(watched)).toBe(before)
  expect(watched.pool.totalCount).toBe(1)
  await primary.start()
})

it('a standby that is promoted is left by a pool of standbys', async () => {
  await heal(cluster())
  const watched = following('standby')
  const port = await portOf(watched)
  const promoted = cluster().hosts.find((host) => host.port === port)!
  await cluster().switchover(promoted)
  await poll(() => watched.pool.topology.leader === keyOf(promoted), { what: 'the promotion is noticed' })
  expect(await portOf(watched)).not.toBe(port)
  await poll(() => watched.pool.totalCount === 1, { what: 'the client on the promoted host is gone' })
})

it('prefer-standby falls back to the leader, standby does not', async () => {
  await heal(cluster())
  const primary = await cluster().primary()
  const standbys = cluster().hosts.filter((host) => host !== primary)
  await Promise.all(standbys.map((host) => host.stop('fast')))
  expect(await portOf(following('prefer-standby'))).toBe(primary.port)
  const error = await rejection(portOf(following('standby', { failoverTimeoutMillis: 200 })))
  expect(error.name).toBe('HostSelectionTimeoutError')
  expect(error.message).toContain(`${keyOf(primary)} is the leader`)
  await Promise.all(standbys.map((host) => host.start()))
  expect(await aStandby(cluster())).toBeDefined()
})
