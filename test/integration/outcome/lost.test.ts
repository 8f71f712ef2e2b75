import { beforeEach, expect, it } from 'vitest'
import { outcomeTable } from '../../../src/index'
import { poll } from '../../support'
import { aStandby, heal, keyOf, useCluster } from '../pool/support/clusters'
import { usePools } from '../pool/support/pools'
import { cutReplication } from '../../support/cut-replication'

const cluster = useCluster({ hosts: 2 })
const makePool = usePools()
beforeEach(() => heal(cluster()))

it.each([
  ['witnesses', 'witness'],
  ['markers', { table: 'markers' }],
] as const)(
  'a failover tells which acknowledged transactions the new leader does not have, by their %s',
  async (_way, outcome) => {
    const primary = await cluster().primary()
    await primary.query(`drop table if exists kept, markers; create table kept (id int); ${outcomeTable('markers')}`)
    const { pool, failovers } = makePool({ connectionString: cluster().connectionString(), outcome })
    await pool.transaction((client) => client.query('insert into kept values (1)'), { tag: 'order 1' })
    await cluster().waitForReplication()
    await cutReplication(cluster(), primary)
    await pool.transaction((client) => client.query('insert into kept values (2)'), { tag: 'order 2' })
    await pool.transaction((client) => client.query('insert into kept values (3)'))
    await pool.query({ text: 'insert into kept values (4)', exactlyOnce: true, tag: 'order 4' })
    await pool.transaction((client) => client.query('select 1'), { readOnly: true, tag: 'a report' })
    const client = await pool.connect()
    await client.query('begin')
    await client.query('insert into kept values (5)')
    await client.query('commit')
    client.release()
    const next = await aStandby(cluster())
    await primary.kill()
    await cluster().promote(next)
    expect((await pool.query('select id from kept order by id')).rows).toEqual([{ id: 1 }])
    await poll(() => failovers.length > 0, { what: 'the failover is told' })
    expect(failovers).toMatchObject([
      { from: keyOf(primary), to: keyOf(next), lost: 4, lostTags: ['order 2', 'order 4'] },
    ])
  },
)
