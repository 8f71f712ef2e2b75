import { afterEach, describe, expect, it } from 'vitest'
import { FaultProxy, poll } from '../../support'
import { useCluster } from './support/clusters'
import { usePools } from './support/pools'

const cluster = useCluster({ hosts: 1 })
const makePool = usePools()
let proxy: FaultProxy | undefined

afterEach(async () => {
  await proxy?.close()
  proxy = undefined
})

const pooled = (port: number, config: object = {}) => {
  const { user, password, database } = cluster()
  return makePool({ hosts: [{ host: '127.0.0.1', port }], user, password, database, ...config })
}
const pidOf = `select pg_backend_pid() as pid`

describe('a client that was idle', () => {
  it('is not handed out when its connection has gone silent', async () => {
    proxy = await FaultProxy.start(cluster().hosts[0]!.port)
    const { pool, failovers } = pooled(proxy.port, {
      aliveCheckMillis: 0,
      monitor: { timeoutMillis: 300, intervalMillis: 600_000 },
    })
    const before = (await pool.query<{ pid: number }>(pidOf)).rows[0]!.pid
    proxy.silence()
    const after = (await pool.query<{ pid: number }>(pidOf)).rows[0]!.pid
    expect(after).not.toBe(before)
    expect(pool.totalCount).toBe(1)
    expect(failovers).toEqual([])
    expect(pool.topology.generation).toBe(1)
  })

  it('is not handed out when its backend is stopped', async () => {
    const [host] = cluster().hosts
    const { pool } = pooled(host!.port, { aliveCheckMillis: 0, monitor: { timeoutMillis: 300 } })
    const before = (await pool.query<{ pid: number }>(pidOf)).rows[0]!.pid
    process.kill(before, 'SIGSTOP')
    try {
      expect((await pool.query<{ pid: number }>(pidOf)).rows[0]!.pid).not.toBe(before)
    } finally {
      process.kill(before, 'SIGCONT')
    }
  })

  it('is checked without an event of any kind, and stays the same client', async () => {
    const { pool } = pooled(cluster().hosts[0]!.port, { aliveCheckMillis: 0 })
    const client = await pool.connect()
    const events: (string | symbol)[] = []
    const { emit } = client
    client.emit = (event: string | symbol, ...args: unknown[]) => {
      events.push(event)
      return emit.call(client, event, ...args)
    }
    const listeners = (): number[] =>
      client.connection.eventNames().map((name) => client.connection.listenerCount(name))
    const before = listeners()
    for (let round = 0; round < 3; round += 1) {
      client.release()
      expect(await pool.connect()).toBe(client)
    }
    expect(events).toEqual([])
    expect(listeners()).toEqual(before)
    expect((await client.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }])
    client.release()
  })

  it('is handed out unasked when it was not idle for long, or when the check is off', async () => {
    for (const aliveCheckMillis of [600_000, Infinity]) {
      const { pool } = pooled(cluster().hosts[0]!.port, { aliveCheckMillis })
      const client = await pool.connect()
      let syncs = 0
      const connection = client.connection as unknown as { sync(): void }
      const { sync } = connection
      connection.sync = () => {
        syncs += 1
        Reflect.apply(sync, connection, [])
      }
      client.release()
      expect(await pool.connect()).toBe(client)
      expect(syncs).toBe(0)
      client.release()
    }
  })

  it('whose backend was terminated is removed with the error of the server, as in pg', async () => {
    const [host] = cluster().hosts
    const { pool, errors } = pooled(host!.port)
    const { pid } = (await pool.query<{ pid: number }>(pidOf)).rows[0]!
    await host!.query('select pg_terminate_backend($1)', [pid])
    await poll(() => pool.totalCount === 0, { what: 'the client is gone' })
    expect(errors).toMatchObject([{ code: '57P01' }])
    expect((await pool.query<{ pid: number }>(pidOf)).rows[0]!.pid).not.toBe(pid)
    expect(pool.topology.generation).toBe(1)
  })
})
