import { beforeEach, expect, it } from 'vitest'
import type { Pool } from '../../../src/index'
import { poll } from '../../support'
import type { Host } from '../../support'
import { aStandby, heal, keyOf, useCluster } from '../pool/support/clusters'
import { usePools } from '../pool/support/pools'
import { FirstRead, load } from './support/reading'

const cluster = useCluster()
const makePool = usePools()

const open = (): Pool =>
  makePool({ connectionString: cluster().connectionString(), failoverTimeoutMillis: 20_000 }).pool

beforeEach(() => heal(cluster()))

it('a listed standby that comes by a base backup gets work within one interval of its first answer', async () => {
  const primary = await cluster().primary()
  const joining = await aStandby(cluster())
  await joining.kill()
  const pool = open()
  const first = new FirstRead(pool, keyOf(joining))
  const reads = load(pool, (port) => first.answered(port === joining.port))
  await reads.more(100)
  expect(reads.ports).not.toContain(joining.port)
  await cluster().rejoin(joining, primary)
  await poll(() => first.probes, { what: 'it is read from' })
  // The answer by which it joined, and at most the next one.
  expect(first.probes).toBeLessThanOrEqual(2)
  await reads.more(100)
  await reads.stop()
  expect(reads.errors).toEqual([])
})

it.each<['smart' | 'fast' | 'immediate', (host: Host) => Promise<unknown>]>([
  // It waits for our sessions, and we for nothing; in the end somebody loses patience.
  ['smart', (host) => host.stop('fast')],
  ['fast', () => Promise.resolve()],
  ['immediate', () => Promise.resolve()],
])('a standby is stopped (%s) while reads run: none of them fails', async (mode, lose) => {
  const pool = open()
  const leaving = await aStandby(cluster())
  const reads = load(pool)
  await poll(() => reads.ports.slice(-50).includes(leaving.port), { what: 'it is read from' })
  const stopped = leaving.stop(mode)
  await reads.more(200)
  await lose(leaving)
  await stopped
  await reads.more(200)
  expect(reads.ports.slice(-100)).not.toContain(leaving.port)
  await reads.stop()
  expect(reads.errors).toEqual([])
})
