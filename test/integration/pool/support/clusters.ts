import { afterAll, beforeAll } from 'vitest'
import { startCluster } from '../../../support'
import type { Cluster, ClusterOptions, Host } from '../../../support'

/** One cluster for all tests of a file; the function gives it once it has started. */
export function useCluster(options: ClusterOptions = {}): () => Cluster {
  let cluster: Cluster | undefined
  beforeAll(async () => {
    cluster = await startCluster(options)
  })
  afterAll(() => cluster?.stop())
  return () => {
    if (cluster === undefined) throw new Error('the cluster has not started')
    return cluster
  }
}

/** A host as the library names it. */
export function keyOf({ host, port }: Host): string {
  return `${host}:${port}`
}

/** A running host that is not the primary, as far as the servers say. */
export async function aStandby(cluster: Cluster): Promise<Host> {
  const primary = await cluster.primary()
  const standby = cluster.hosts.find((host) => host !== primary && host.running && !host.frozen)
  if (standby === undefined) throw new Error('no standby runs')
  return standby
}

/** Every host is up again and streams from the present primary. */
export async function heal(cluster: Cluster): Promise<void> {
  const primary = await cluster.primary()
  for (const host of cluster.hosts) {
    if (host === primary) continue
    const [row] = host.running && !host.frozen ? await host.query<Row>(streams, [primary.port]) : []
    if (row?.streams !== true) await cluster.rejoin(host, primary)
  }
}

interface Row {
  readonly streams: boolean
}

const streams = `select pg_is_in_recovery() and exists (select from pg_stat_wal_receiver where status = 'streaming' and sender_port = $1) as streams`
