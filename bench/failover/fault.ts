import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster, Host } from '../../test/support'

export const faults = ['kill', 'switchover', 'restart', 'freeze'] as const

/**
 * `kill`: kill -9 to the primary, then a standby is promoted. `switchover`: planned. `restart`: the primary stops and
 * comes back. `freeze`: SIGSTOP to the primary, a standby is promoted; the old one wakes up later and knows nothing.
 */
export type Fault = (typeof faults)[number]

/**
 * After a switchover the other hosts set about following the new primary. On machines of their own they would not take the
 * processor from it and from the application in the very moment that is measured; after it they may.
 */
const followAfterMillis = 150

/** Makes it happen; resolves when `next` leads (after a restart: when the same one leads again). */
export async function inject(
  cluster: Cluster,
  fault: Fault,
  { primary, next, leaderlessMillis }: { primary: Host; next: Host; leaderlessMillis: number },
): Promise<void> {
  switch (fault) {
    case 'kill':
      // Stopped first, so that no backend sees its postmaster die and says 57P01: kill -9 is to leave no word behind.
      await primary.freeze()
      await primary.kill()
      await sleep(leaderlessMillis)
      return cluster.promote(next)
    case 'freeze':
      await primary.freeze()
      await sleep(leaderlessMillis)
      return cluster.promote(next)
    case 'switchover':
      return cluster.switchover(next, { followAfterMillis })
    case 'restart':
      await primary.stop('fast')
      await sleep(leaderlessMillis)
      return primary.start()
    default:
      return fault satisfies never
  }
}

/** All hosts in replication again, for the next round. */
export async function repair(cluster: Cluster): Promise<void> {
  const primary = await cluster.primary()
  for (const host of cluster.hosts) if (host !== primary) await follow(cluster, host, primary)
  await cluster.waitForReplication()
}

async function follow(cluster: Cluster, host: Host, primary: Host): Promise<void> {
  if (host.running && !host.frozen) {
    const [row] = await host.query<{ recovery: boolean }>('select pg_is_in_recovery() as recovery')
    try {
      if (row?.recovery === true) return await cluster.repoint(host, primary)
    } catch {
      // It has what the new primary never had: the helper says so, and a base backup is the way.
    }
  }
  await cluster.rejoin(host, primary)
}
