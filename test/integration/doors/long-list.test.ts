import { expect, it } from 'vitest'
import { keyOf, useCluster } from '../pool/support/clusters'
import { rejection, usePools } from '../pool/support/pools'
import { startHostileServer } from './support/hostile-server'

const cluster = useCluster({ hosts: 1 })
const makePool = usePools()

const login = (): { user: string; password: string; database: string } => {
  const { user, password, database } = cluster()
  return { user, password, database }
}

it('a thousand hosts are asked one by one, and their names do not fill the error', async () => {
  const began: number[] = []
  const server = await startHostileServer((socket) => {
    began.push(performance.now())
    socket.destroy()
  })
  const start = performance.now()
  const hosts = Array.from({ length: 1000 }, () => ({ host: '127.0.0.1', port: server.port }))
  const { pool } = makePool({ ...login(), hosts, failoverTimeoutMillis: 1000 })
  const error = await rejection(pool.query('select 1'))
  const took = performance.now() - start
  await pool.end()
  await server.close()
  expect(error['hosts']).toHaveLength(1000)
  expect(error.message).toMatch(/; and 980 more$/)
  expect(began.length).toBeGreaterThan(32)
  // Thirty-two at once, then one every 2.5 ms; nobody is asked a second time before all were asked once.
  expect(began.length).toBeLessThanOrEqual(32 + took / 2.5 + 1)
})

it('a leader is found behind hundreds of hosts that are not there', async () => {
  const [leader] = cluster().hosts
  const dead = Array.from({ length: 300 }, (_, index) => ({ host: '127.0.0.1', port: 1 + (index % 9) }))
  const { pool } = makePool({ ...login(), hosts: [...dead, { host: leader!.host, port: leader!.port }] })
  expect((await pool.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }])
  expect(pool.topology.leader).toBe(keyOf(leader!))
})
