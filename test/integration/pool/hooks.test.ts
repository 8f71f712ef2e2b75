import type { ClientBase } from 'pg'
import { afterEach, expect, it } from 'vitest'
import { keyOf, heal, aStandby, useCluster } from './support/clusters'
import { rejection, usePools } from './support/pools'

const cluster = useCluster()
const makePool = usePools()
afterEach(() => heal(cluster()))

const monitor = { intervalMillis: 200, timeoutMillis: 300 }
const read = { text: 'select inet_server_port() as port', idempotent: true }

/** Runs once, in the first `onConnect`, before its own statement. */
function onFirstConnect(act: () => Promise<void>): (client: ClientBase) => void {
  let first = true
  return asHook(async (client) => {
    if (first) {
      first = false
      await act()
    }
    await client.query(`set application_name to 'hooked'`)
  })
}

/** pg's types do not know that the promise is awaited. */
function asHook(work: (client: ClientBase) => Promise<void>): (client: ClientBase) => void {
  const hook: unknown = work
  return hook as (client: ClientBase) => void
}

it.each(['freeze', 'kill'] as const)('a leader that is lost by %s in onConnect stops nobody', async (lose) => {
  const next = await aStandby(cluster())
  const { pool } = makePool({
    connectionString: cluster().connectionString(),
    monitor,
    onConnect: onFirstConnect(() => cluster().failover(next, { lose })),
  })
  const answers = await Promise.all(Array.from({ length: 5 }, () => pool.query<{ port: number }>(read)))
  // Some may have been served before it was lost; the one whose hook it was, and whoever came later, were not.
  expect(answers.map(({ rows }) => rows[0]?.port)).toContain(next.port)
  expect(pool.topology.leader).toBe(keyOf(next))
  await pool.end()
  expect(pool.totalCount).toBe(0)
})

it('a leader that freezes in onConnect does not keep the pool from ending', async () => {
  const old = await cluster().primary()
  let inHook = (): void => undefined
  const hooked = new Promise<void>((resolve) => (inHook = resolve))
  const { pool } = makePool({
    connectionString: cluster().connectionString(),
    monitor,
    onConnect: onFirstConnect(async () => {
      await old.freeze()
      inHook()
    }),
  })
  const told = rejection(pool.query(read))
  await hooked
  await pool.end()
  expect((await told).message).toBe('Cannot use a pool after calling end on the pool')
  await old.thaw()
})

it('what onConnect throws by itself is told to the caller', async () => {
  const { pool } = makePool({
    connectionString: cluster().connectionString(),
    onConnect: asHook(() => Promise.reject(new Error('no such tenant'))),
  })
  expect((await rejection(pool.query(read))).message).toBe('no such tenant')
  expect(pool.totalCount).toBe(0)
})
