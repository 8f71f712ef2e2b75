import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Pool } from '../../../src/index'
import { useCluster } from '../pool/support/clusters'
import { rejection, usePools } from '../pool/support/pools'
import { useKept } from './support/kept'
import { useMarkers } from './support/markers'
import { TransactionPooler } from './support/transaction-pooler'

const cluster = useCluster({ hosts: 1 })
const makePool = usePools()
const kept = useKept(cluster)
const markers = useMarkers(cluster)

let pooler: TransactionPooler
let pool: Pool

beforeEach(async () => {
  const connectionString = cluster().connectionStringFor(await cluster().primary())
  pooler = await TransactionPooler.start({ connectionString, ssl: false }, 3)
  const { user, password, database } = cluster()
  // Those who watch the hosts take a session as well.
  const hosts = [{ host: '127.0.0.1', port: pooler.port }]
  const outcome = { table: 'markers' }
  pool = makePool({ hosts, user, password, database, outcome, targetSessionAttrs: 'read-write', max: 8 }).pool
})
afterEach(async () => {
  await pool.end()
  await pooler.close()
})

/** A transaction of somebody's own, as an ORM makes it. */
async function begun(id: number): Promise<{ commit(): Promise<unknown> }> {
  const client = await pool.connect()
  await client.query('begin')
  await client.query('insert into kept values ($1)', [id])
  return {
    async commit() {
      try {
        return (await client.query('commit')).command
      } finally {
        client.release()
      }
    },
  }
}

it('a pooler may give every transaction another session', async () => {
  const ids = Array.from({ length: 24 }, (_, index) => index)
  await Promise.all(
    ids.map(async (id) => {
      if (id % 3 === 0) await pool.transaction((client) => client.query('insert into kept values ($1)', [id]))
      else if (id % 3 === 1) await pool.query({ text: 'insert into kept values ($1)', values: [id], exactlyOnce: true })
      else expect(await (await begun(id)).commit()).toBe('COMMIT')
    }),
  )
  expect([await kept(), await markers()]).toMatchObject([ids, { length: 24 }])
  expect(pooler.served).toBeGreaterThan(24)
})

it('whom it loses at a COMMIT is told what became of it', async () => {
  const own = await begun(1)
  pooler.loseWho('savepoint pg_leader')
  expect(await own.commit()).toBe('COMMIT')
  let calls = 0
  await pool.transaction(async (client) => {
    calls += 1
    await client.query('insert into kept values (2)')
    pooler.loseWho('commit')
  })
  expect(calls).toBe(1)
  await pool.query('select 1')
  pooler.loseWho('insert into kept')
  const once = pool.query({ text: 'insert into kept values ($1) returning id', values: [3], exactlyOnce: true })
  expect(await rejection(once)).toMatchObject({ name: 'ResultLostError', outcome: 'committed' })
  expect(await kept()).toEqual([1, 2, 3])
})
