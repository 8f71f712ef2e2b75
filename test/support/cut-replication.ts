import type { Cluster } from './cluster'
import type { Host } from './host'
import { poll } from './poll'

/** A standby gets no more from whomever it follows. */
export async function stopReceiving(standby: Host): Promise<void> {
  await standby.query(`alter system set primary_conninfo = ''`)
  await standby.query('select pg_reload_conf()')
  await poll(async () => (await standby.query('select from pg_stat_wal_receiver')).length === 0, {
    what: `${standby.name} receives no more`,
  })
}

/** The standbys get no more, and what is written from then on is lost with the primary. */
export async function cutReplication(cluster: Cluster, primary: Host): Promise<void> {
  for (const standby of cluster.hosts) if (standby !== primary) await stopReceiving(standby)
  await poll(async () => (await primary.query('select from pg_stat_replication')).length === 0, {
    what: `nobody receives from ${primary.name}`,
  })
}
