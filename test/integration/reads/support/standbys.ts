import type { Pool } from '../../../../src/index'
import { poll } from '../../../support'
import type { Cluster, Host } from '../../../support'

export async function standbysOf(cluster: Cluster): Promise<readonly Host[]> {
  const primary = await cluster.primary()
  return cluster.hosts.filter((host) => host !== primary)
}

/** Waits until a pool knows so many standbys. */
export async function known(pool: Pool, count = 2): Promise<void> {
  await pool.query('select 1')
  await poll(() => pool.topology.hosts.filter(({ role }) => role === 'standby').length === count, {
    what: `${count} standbys have answered`,
  })
}

/** Has these hosts replay no more, or go on. */
export async function replay(what: 'pause' | 'resume', hosts: readonly Host[]): Promise<void> {
  for (const host of hosts) await host.query(`select pg_wal_replay_${what}()`)
}
