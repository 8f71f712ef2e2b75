import type { Cluster, Host } from '../../../support'
import type { Direction } from '../../../support/fault-proxy'

/** What lies between the process under test and the servers, and can be cut. */
export interface Network {
  /** In which the process has to be started. */
  readonly through: readonly string[]
  /** Before it makes its first connection. */
  attach(pid: number): Promise<void>
  /** A host as that process names it, `host:port`. */
  keyOf(host: Host): string
  /** Packets on the way to this host (`up`), or back, are lost from now on. */
  cut(host: Host, ...directions: readonly Direction[]): Promise<void>
  /** Everything comes through again. */
  heal(): Promise<void>
  end(): Promise<void>
}

/** The string of a cluster as it is seen from the other side of the network. */
export function connectionStringThrough(network: Network, { hosts, user, password, database }: Cluster): string {
  return `postgres://${user}:${password}@${hosts.map((host) => network.keyOf(host)).join(',')}/${database}`
}
