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

/** All hosts, as a pool of ours is given them. */
export function wholeConfig({ hosts, user, password, database }: Target) {
  const host = hosts.map((each) => each.host).join(',')
  return { host, port: hosts.map(({ port }) => port).join(','), user, password, database }
}

/** The first host alone, for pg. */
export function plainConfig({ hosts, user, password, database }: Target) {
  return { ...hosts[0], user, password, database }
}
