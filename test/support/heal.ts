import type { Cluster } from './cluster'

/** Every host is up again and streams from the present primary. */
export async function heal(cluster: Cluster): Promise<void> {
  const primary = await cluster.primary()
  for (const host of cluster.hosts) {
    if (host === primary) continue
    const [row] =
      host.running && !host.frozen ? await host.query<Row>(streams, [primary.address.host, primary.address.port]) : []
    if (row?.streams !== true) await cluster.rejoin(host, primary)
  }
}

interface Row {
  readonly streams: boolean
}

const streams = `select pg_is_in_recovery() and exists (select from pg_stat_wal_receiver where status = 'streaming' and sender_host = $1 and sender_port = $2) as streams`
