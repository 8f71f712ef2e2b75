import { FaultProxy, Pooler } from '../../../support'
import type { Cluster, Host } from '../../../support'
import type { PoolConfig } from '../../../../src/index'

/** What stands between the writers and the servers: nothing, a proxy in front of every host, or one pooler. */
export type Between = 'nothing' | 'proxies' | 'pooler'

/** The way to the servers. */
export interface Network {
  readonly config: PoolConfig
  /** In front of which host; none where there are no proxies. */
  readonly proxies: ReadonlyMap<Host, FaultProxy>
  readonly pooler: Pooler | undefined
  close(): Promise<void>
}

export async function openNetwork(cluster: Cluster, between: Between): Promise<Network> {
  const { user, password, database } = cluster
  const to = (ports: readonly number[]): PoolConfig => ({
    hosts: ports.map((port) => ({ host: '127.0.0.1', port })),
    targetSessionAttrs: 'read-write',
    user,
    password,
    database,
  })
  const none = { proxies: new Map<Host, FaultProxy>(), pooler: undefined, close: () => Promise.resolve() }
  switch (between) {
    case 'nothing':
      return { ...none, config: { connectionString: cluster.connectionString() } }
    case 'proxies': {
      const started = cluster.hosts.map(async (host) => [host, await FaultProxy.start(host.port)] as const)
      const proxies = new Map(await Promise.all(started))
      const all = [...proxies.values()]
      return {
        ...none,
        proxies,
        config: to(all.map(({ port }) => port)),
        close: async () => {
          for (const proxy of all) await proxy.close()
        },
      }
    }
    case 'pooler': {
      const pooler = await Pooler.start(cluster, await cluster.primary(), { size: 12 })
      return { ...none, pooler, config: to([pooler.port]), close: () => pooler.close() }
    }
    default:
      return between satisfies never
  }
}
