import { afterAll, beforeAll } from 'vitest'
import { startCluster } from '../../../support'
import type { Cluster, ClusterOptions, Host } from '../../../support'

export { heal } from '../../../support/heal'

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
