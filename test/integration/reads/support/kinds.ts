import { Pool } from '../../../../src/index'
import type { Cluster } from '../../../support'
import { Recorder } from '../../parsed/support/recorder'
import { known } from './standbys'

/** The hosts that a read may run on. */
export const kinds = ['a standby', 'the leader, where no other host is listed'] as const

/** A pool of a cluster of two whose reads run on a host of this kind, and the port of that. */
export async function openOn(kind: (typeof kinds)[number], cluster: Cluster): Promise<{ pool: Pool; port: number }> {
  const onStandby = kind === 'a standby'
  const primary = await cluster.primary()
  const leaderAlone = cluster.connectionStringFor(primary, { target_session_attrs: 'read-write' })
  const pool = new Pool({ connectionString: onStandby ? cluster.connectionString() : leaderAlone, Client: Recorder })
  await known(pool, onStandby ? 1 : 0)
  return { pool, port: cluster.hosts.find((host) => (host === primary) !== onStandby)!.port }
}
