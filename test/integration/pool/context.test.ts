import { AsyncLocalStorage } from 'node:async_hooks'
import pg from 'pg'
import { expect, it } from 'vitest'
import { poll } from '../../support'
import { useCluster } from './support/clusters'
import { usePools } from './support/pools'

const cluster = useCluster({ hosts: 2 })
const makePool = usePools()

it('every attempt of a statement runs in its caller’s async context, what the pool tells by itself in none of them', async () => {
  const tenant = new AsyncLocalStorage<string>()
  const marked: (string | undefined)[] = []
  class Client extends pg.Client {
    override query(...args: never): never {
      const [text] = args as unknown[]
      if (typeof text === 'string' && text.includes('marked')) marked.push(tenant.getStore())
      const query: unknown = super.query
      return Reflect.apply(query as (...args: unknown[]) => never, this, args)
    }
  }
  const { pool } = makePool({ connectionString: cluster().connectionString(), Client, max: 2 })
  const topologies: (string | undefined)[] = []
  pool.on('topology', () => topologies.push(tenant.getStore()))
  // The first tenant makes both connections, and is the first to ask for the leader.
  await tenant.run('first', () =>
    Promise.all([pool.query('select pg_sleep(0.05)'), pool.query('select pg_sleep(0.05)')]),
  )
  const text = 'select /* marked */ pg_sleep(1)'
  const statement = tenant.run('second', () => pool.query(text).then(() => tenant.getStore()))
  const called = tenant.run(
    'third',
    () =>
      new Promise((resolve, reject) =>
        pool.query(text, (error) => (error ? reject(error) : resolve(tenant.getStore()))),
      ),
  )
  const primary = await cluster().primary()
  const terminate = `with asleep as (
      select pid from pg_stat_activity
      where query like '%/* marked */%' and wait_event = 'PgSleep' and pid <> pg_backend_pid()
    )
    select pg_terminate_backend(pid) from asleep where (select count(*) from asleep) = 2`
  await poll(async () => (await primary.query(terminate)).length === 2, { what: 'both are ended in their middle' })
  expect(await statement).toBe('second')
  expect(await called).toBe('third')
  expect(marked.sort()).toEqual(['second', 'second', 'third', 'third'])
  expect(topologies.length).toBeGreaterThan(0)
  expect(new Set(topologies)).toEqual(new Set([undefined]))
})
