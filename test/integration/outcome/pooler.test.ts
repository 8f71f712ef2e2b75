import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Pooler, startCluster } from '../../support'
import type { Cluster, Host } from '../../support'
import type { Pool, PoolConfig } from '../../../src/index'
import { usePools } from '../pool/support/pools'

const makePool = usePools()
let cluster: Cluster
let pooler: Pooler
let old: Host
let next: Host

beforeEach(async () => {
  cluster = await startCluster({ hosts: 2 })
  ;[old, next] = cluster.hosts as [Host, Host]
  await old.query('create table kept (id int)')
  pooler = await Pooler.start(cluster, old)
})
afterEach(async () => {
  await pooler.close()
  await cluster.stop()
})

/** What applications give a pooler's address to: one host, and nothing of ours. */
function behind(config: PoolConfig = {}): Pool {
  const { user, password, database } = cluster
  return makePool({ host: '127.0.0.1', port: pooler.port, user, password, database, max: 1, ...config }).pool
}

const idsOn = async (host: Host): Promise<readonly number[]> =>
  (await host.query<{ id: number }>('select id from kept order by id')).map(({ id }) => id)

const insert = 'insert into kept values ($1)'

/** The three ways in which a write is looked up, and the statement at whose end it is committed. */
const ways: readonly [string, RegExp, PoolConfig, (pool: Pool, id: number) => Promise<unknown>][] = [
  ['transaction', /^commit$/m, {}, (pool, id) => pool.transaction((client) => client.query(insert, [id]))],
  ['exactlyOnce', /^insert/m, {}, (pool, id) => pool.query({ text: insert, values: [id], exactlyOnce: true })],
  [
    'outcome: witness',
    /^commit$/m,
    { outcome: 'witness' },
    async (pool, id) => {
      const client = await pool.connect()
      client.on('error', () => undefined)
      try {
        await client.query('begin')
        await client.query(insert, [id])
        await client.query('commit')
      } finally {
        client.release()
      }
    },
  ],
]

describe.each(ways)('%s through a pooler', (_way, commits, config, write) => {
  /** The pooler has been switched to the new leader; the client that writes was connected before. */
  async function moved(): Promise<Pool> {
    const pool = behind(config)
    await write(pool, 1)
    await cluster.waitForReplication()
    await cluster.promote(next)
    pooler.switchTo(next)
    return pool
  }

  it('is looked up on the server that it ran on, whichever the first transaction of its connection had', async () => {
    const pool = await moved()
    pooler.atEndOf(commits, () => 'lost')
    await write(pool, 2)
    expect(await idsOn(next)).toEqual([1, 2])
    expect(await idsOn(old)).toEqual([1])
  })

  it('is not said to be rolled back by a server that history has left', async () => {
    const pool = await moved()
    pooler.atEndOf(commits, () => {
      pooler.switchTo(old)
      return 'lost'
    })
    const written = write(pool, 2)
    await sleep(300)
    pooler.switchTo(next)
    await written
    expect(await idsOn(next)).toEqual([1, 2])
    expect(await idsOn(old)).toEqual([1])
  })

  it('is told the identity and the fate by one and the same server', async () => {
    const pool = await moved()
    pooler.atEndOf(commits, () => 'lost')
    pooler.atEndOf(/as in_recovery/, () => {
      pooler.switchTo(old)
      return undefined
    })
    await write(pool, 2)
    expect(await idsOn(next)).toEqual([1, 2])
    expect(await idsOn(old)).toEqual([1])
  })
})
