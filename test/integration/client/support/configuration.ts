import type { ClientConfig } from 'pg'
import type { Cluster, Host } from '../../../support'

/** A plain pg configuration for one host of a cluster. */
export function configuration(
  cluster: Cluster,
  host: Pick<Host, 'host' | 'port'>,
  more: ClientConfig = {},
): ClientConfig {
  const { user, password, database } = cluster
  return { host: host.host, port: host.port, user, password, database, ssl: false, ...more }
}

/** The names of the events a client emits, in order, from now on. */
export function eventsOf(client: { emit(event: string | symbol, ...args: unknown[]): boolean }): string[] {
  const seen: string[] = []
  const { emit } = client
  client.emit = function (event, ...args) {
    if (event !== 'newListener' && event !== 'removeListener') seen.push(String(event))
    return emit.call(this, event, ...args)
  }
  return seen
}
