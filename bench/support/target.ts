import type { Cluster, Host } from '../../test/support'

/** Where the servers are: what an application would be configured with. */
export interface Target {
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
  readonly user: string
  readonly password: string
  readonly database: string
}

/** All hosts of a cluster, `first` first: whoever lists one host only lists the one that leads. */
export function targetOf(cluster: Cluster, first: Host): Target {
  const { user, password, database } = cluster
  const hosts = [first, ...cluster.hosts.filter((host) => host !== first)]
  return { hosts: hosts.map(({ host, port }) => ({ host, port })), user, password, database }
}
