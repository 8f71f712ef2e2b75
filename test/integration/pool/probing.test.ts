import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Probe } from '../../../src/monitor/probe'
import { aStandby, keyOf, useCluster } from './support/clusters'
import { usePools } from './support/pools'

const cluster = useCluster({ hosts: 2, settings: { log_statement: 'all' } })
const makePool = usePools()

it('while somebody waits a standby is asked hundreds of times, and costs it a few statements', async () => {
  const next = await aStandby(cluster())
  const { pool } = makePool({ connectionString: cluster().connectionString() })
  await pool.query('select 1')
  const questions = async (): Promise<number> => (await next.log()).split('received_tli').length
  await (await cluster().primary()).kill()
  // Marked, as it may be sent before the loss is known.
  const held = pool.query<{ port: number }>({ text: 'select inet_server_port() as port', idempotent: true })
  const before = await questions()
  await sleep(1500)
  // A full question every 250 ms; the others are a bare Sync, which is no statement.
  expect((await questions()) - before).toBeLessThanOrEqual(8)
  await cluster().promote(next)
  expect((await held).rows).toEqual([{ port: next.port }])
  expect(pool.topology).toMatchObject({ leader: keyOf(next), timeline: 2 })
})

it('a question that is under way when the probe is closed is not asked again over a new session', async () => {
  const host = await cluster().primary()
  const options = { connectionString: cluster().connectionStringFor(host), application_name: 'closed' }
  const probe = new Probe(
    keyOf(host),
    () => ({ options, again: () => undefined }),
    () => undefined,
  )
  expect(await probe.ask(5000)).toMatchObject({ ok: true })
  const asked = probe.ask(5000)
  probe.close()
  expect(await asked).toMatchObject({ ok: false })
  const sessions = "select 1 from pg_stat_activity where application_name = 'closed'"
  while ((await host.query(sessions)).length > 0) await sleep(10)
})
