import { expect, it } from 'vitest'
import { FaultProxy, poll } from '../../support'
import { aStandby, useCluster } from './support/clusters'
import { rejection, usePools } from './support/pools'

const cluster = useCluster()
const makePool = usePools()

it('behind one name: when another server leads there, what is left of the old one is cut', async () => {
  const old = await cluster().primary()
  const next = await aStandby(cluster())
  // A virtual IP, a proxy, a name in DNS.
  const address = await FaultProxy.start(old.port)
  const { user, password, database } = cluster()
  const { pool, failovers } = makePool({
    hosts: [{ host: '127.0.0.1', port: address.port }],
    targetSessionAttrs: 'read-write',
    monitor: { intervalMillis: 200, timeoutMillis: 300 },
    user,
    password,
    database,
  })
  await pool.query('create table moved (id int)')
  await cluster().waitForReplication()
  const client = await pool.connect()
  await old.freeze()
  address.moveTo(next.port)
  await cluster().promote(next)
  await poll(() => failovers.length === 1, { what: 'the failover is told' })
  expect(failovers).toMatchObject([{ fromTimeline: 1, toTimeline: 2 }])
  await old.thaw()

  // The old primary lives and would take it.
  await rejection(client.query('insert into moved values (1)'))
  client.release()
  await pool.query('insert into moved values (2)')
  expect(await old.query('select id from moved')).toEqual([])
  expect(await next.query<{ id: number }>('select id from moved')).toMatchObject([{ id: 2 }])
  await pool.end()
  await address.close()
})
