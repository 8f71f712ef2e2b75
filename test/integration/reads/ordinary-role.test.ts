import { beforeAll, beforeEach, expect, it } from 'vitest'
import type { Pool } from '../../../src/index'
import { poll } from '../../support'
import type { Host } from '../../support'
import { heal, keyOf, useCluster } from '../pool/support/clusters'
import { usePools } from '../pool/support/pools'

// Nothing is written to disk, and no restart point made, but where a test has it done.
const cluster = useCluster({ settings: { bgwriter_lru_maxpages: '0', checkpoint_timeout: '1h' } })
const makePool = usePools()

beforeAll(async () => {
  const primary = await cluster().primary()
  await primary.query(`create role ordinary login password 'o'`)
  await primary.query(`create role informed login password 'i' in role pg_read_all_stats`)
  await primary.query('create table written (n int); grant all on written to public')
})

beforeEach(() => heal(cluster()))

const open = (user: 'ordinary' | 'informed'): Pool => {
  const { hosts, database } = cluster()
  const list = hosts.map(({ host, port }) => `${host}:${port}`).join(',')
  return makePool({
    connectionString: `postgres://${user}:${user[0]}@${list}/${database}`,
    failoverTimeoutMillis: 20_000,
    monitor: { intervalMillis: 100, timeoutMillis: 5000 },
  }).pool
}

/** Where a read is answered that has to see this. */
async function answers(pool: Pool, after: string): Promise<number> {
  const { rows } = await pool.query<{ port: number }>({ text: 'select inet_server_port() as port', after })
  return rows[0]!.port
}

async function failover(): Promise<{ readonly leader: Host; readonly standby: Host }> {
  const old = await cluster().primary()
  const [leader, standby] = cluster().hosts.filter((host) => host !== old) as [Host, Host]
  await cluster().failover(leader)
  return { leader, standby }
}

const proofs: Record<string, (leader: Host, standby: Host) => Promise<unknown>> = {
  'the next restart point of the standby': async (leader, standby) => {
    await leader.query('checkpoint')
    await cluster().waitForReplication()
    await standby.query('checkpoint')
  },
  'the next commit that removes a file': (leader) =>
    leader.query('create table gone (n int); drop table gone').then(() => cluster().waitForReplication()),
}

it.each(Object.entries(proofs))(
  'after a failover the leader answers for an ordinary role, until %s; for one that may read all statistics a standby does at once',
  async (_what, prove) => {
    const [ordinary, informed] = [open('ordinary'), open('informed')]
    for (const pool of [ordinary, informed]) await pool.query('select 1')
    const { leader, standby } = await failover()
    for (const pool of [ordinary, informed]) {
      await poll(() => pool.topology.leader === keyOf(leader), { what: 'it leads' })
      await poll(() => pool.topology.hosts.some(({ role }) => role === 'standby'), { what: 'there is a standby' })
    }
    await ordinary.query('insert into written values (1)')
    const after = await ordinary.position()
    await cluster().waitForReplication()
    expect(await answers(informed, after)).toBe(standby.port)
    expect(await answers(ordinary, after)).toBe(leader.port)
    await prove(leader, standby)
    await poll(async () => (await answers(ordinary, after)) === standby.port, { what: 'the standby answers' })
  },
)
