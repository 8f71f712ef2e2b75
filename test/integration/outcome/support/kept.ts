import { beforeEach } from 'vitest'
import type { Cluster } from '../../../support'
import type { PoolConfig } from '../../../../src/index'

/** An empty table for each test of a file; the function tells which rows were committed. */
export function useKept(cluster: () => Cluster): () => Promise<readonly number[]> {
  beforeEach(async () => {
    const primary = await cluster().primary()
    await primary.query('drop table if exists kept; create table kept (id int primary key, note text)')
  })
  return async () => {
    const primary = await cluster().primary()
    const rows = await primary.query<{ id: number }>('select id from kept order by id')
    return rows.map(({ id }) => id)
  }
}

/** While `work` is done its role may not ask a server what it is, and so no witness can be of use. */
export async function asPoorRole(cluster: Cluster, work: (config: PoolConfig) => Promise<void>): Promise<void> {
  const primary = await cluster.primary()
  await primary.query(
    'create role poor login password $$poor$$; revoke execute on function pg_control_system() from public',
  )
  await primary.query('grant all on kept to poor')
  const hosts = cluster.hosts.map(({ host, port }) => ({ host, port }))
  await work({ hosts, user: 'poor', password: 'poor', database: cluster.database })
  await primary.query('grant execute on function pg_control_system() to public; drop owned by poor; drop role poor')
}
