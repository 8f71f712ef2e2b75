import { expect, it } from 'vitest'
import { poll } from '../../support'
import { keyOf, useCluster } from '../pool/support/clusters'
import { usePools } from '../pool/support/pools'
import { StubAuthority } from './support/stub-authority'
import { createTable } from './support/writing'

const cluster = useCluster({ hosts: 2 })
const makePool = usePools()

/** As an application does that computes and never yields. */
function block(millis: number): void {
  const until = performance.now() + millis
  while (performance.now() < until);
}

const backendPid = 'select pg_backend_pid() as pid'

it('an application that blocks its event loop for five seconds: no failover, no cut connection, no host that counts as down', async () => {
  const leader = cluster().hosts[0]!
  await leader.query(createTable)
  // Every limit ends while nothing is read: of probes, of the sign of life, of dials, of the lease.
  const connectionString = cluster().connectionString()
  // So often that some of the questions are open at any moment.
  const monitor = { intervalMillis: 1, timeoutMillis: 2000 }
  const watched = [
    makePool({ connectionString, monitor, aliveCheckMillis: 0 }),
    makePool({ connectionString, monitor, authority: new StubAuthority().names(leader, 3000) }),
  ]
  const scenes = await Promise.all(
    watched.map(async (each) => {
      const { pool } = each
      const [idle, held] = [await pool.connect(), await pool.connect()]
      const { pid } = (await held.query(backendPid)).rows[0]
      const removed: unknown[] = []
      pool.on('remove', (client) => removed.push(client))
      await held.query('begin')
      await poll(() => pool.topology.hosts.every(({ role }) => role !== 'unknown'), { what: 'every host is known' })
      idle.release()
      each.topologies.length = 0
      return { ...each, held, pid, removed }
    }),
  )
  // Under way when the loop stops: a statement, the sign of life of a checkout, a dial, and the monitors' questions.
  const underWay = scenes.map(({ pool, held }) =>
    Promise.all([
      held.query(`insert into written values ('held')`),
      pool.query('select 1'),
      pool.query('select 1'),
      pool.query('select 1'),
    ]),
  )
  // So far that all of it has been sent; nothing is read before the loop turns.
  for (let tick = 0; tick < 20; tick += 1) await new Promise<void>((resolve) => process.nextTick(resolve))
  block(5000)
  const outcomes = await Promise.allSettled(underWay)
  // What the blocked time has made due comes round now: more questions and answers.
  await new Promise((resolve) => setTimeout(resolve, 500))
  const pidsAfter = await Promise.all(scenes.map(({ held }) => held.query(backendPid).catch(() => undefined)))
  for (const { held } of scenes) held.release()

  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
  expect(pidsAfter.map((result) => result?.rows[0].pid)).toEqual(scenes.map(({ pid }) => pid))
  for (const { pool, removed, failovers, errors, topologies } of scenes) {
    expect({ failovers, errors, removed }).toEqual({ failovers: [], errors: [], removed: [] })
    expect(pool.topology).toMatchObject({ leader: keyOf(leader), generation: 1 })
    const silent = topologies.flatMap(({ hosts }) =>
      hosts.filter(({ roundTripMillis }) => roundTripMillis === undefined),
    )
    expect(silent).toEqual([])
  }
  // Where no lease had run out nothing was told at all.
  expect(scenes[0]?.topologies).toEqual([])
})
