import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { findBinaries } from './binaries'
import type { Cluster, ClusterOptions } from './cluster'
import { EmbeddedCluster } from './embedded-cluster'
import { startGuardian } from './guardian'
import { serverIdentity } from './identity'
import { defaultMajor } from './major'
import { cacheRoot, clusterRoot } from './scratch'
import { dataTemplate } from './template'

/**
 * Starts a cluster. Whatever happens to this process, kill -9 included, a guardian removes servers and files after it;
 * `stop()` does so earlier. As root the servers run as another user.
 *
 * @example
 * const cluster = await startCluster({ hosts: 2 })
 * try {
 *   await cluster.failover(cluster.hosts[1]!)
 * } finally {
 *   await cluster.stop()
 * }
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const identity = serverIdentity()
  const cache = cacheRoot(identity)
  const binaries = await findBinaries(options.major ?? defaultMajor(), identity, cache)
  const template = await dataTemplate(binaries, identity, cache)
  const directory = join(clusterRoot(identity), `pg-leader-${randomBytes(5).toString('hex')}`)
  const guardian = await startGuardian(directory)
  const cluster = new EmbeddedCluster({ identity, cache, binaries, template, directory, guardian }, options)
  try {
    await cluster.start(options.hosts ?? 3)
  } catch (error) {
    await cluster.stop()
    throw error
  }
  return cluster
}
