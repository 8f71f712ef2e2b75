import { afterAll, beforeAll, describe, it } from 'vitest'
import { startCluster } from '../support'
import type { Cluster } from '../support'
import { runThroughFailover } from './example'

describe('examples/', () => {
  let cluster: Cluster

  beforeAll(async () => {
    cluster = await startCluster()
  })

  afterAll(async () => {
    await cluster.stop()
  })

  it('swapped-import.ts: every write of a drop-in arrives, through a switchover', async () => {
    const env = { DATABASE_URL: cluster.connectionString() }
    await runThroughFailover(cluster, { file: 'swapped-import.ts', table: 'visit', env }, (to) =>
      cluster.switchover(to),
    )
  })

  it('wrapped.mjs: a pool of pg follows the leader in place, through a switchover', async () => {
    // The pool knows one host, as pools of pg do.
    const env = {
      DATABASE_URL: cluster.connectionStringFor(await cluster.primary()),
      HOSTS: cluster.hosts.map(({ host, port }) => `${host}:${port}`).join(','),
    }
    await runThroughFailover(cluster, { file: 'wrapped.mjs', table: 'parcel', env }, (to) => cluster.switchover(to))
  })

  it('environment.cjs: hosts, ports and all from PG*, through the stop of a leader that stays away', async () => {
    const env = {
      PGUSER: cluster.user,
      PGPASSWORD: cluster.password,
      PGDATABASE: cluster.database,
      PGHOST: cluster.hosts.map(({ host }) => host).join(','),
      PGPORT: cluster.hosts.map(({ port }) => port).join(','),
      PGTARGETSESSIONATTRS: 'read-write',
    }
    await runThroughFailover(cluster, { file: 'environment.cjs', table: 'measurement', env }, (to) =>
      cluster.failover(to, { lose: 'fast' }),
    )
  })
})
