import { FaultProxy } from '../../../support'
import type { Cluster, Host } from '../../../support'
import type { Network } from './network'

/** A proxy before each server: it holds what a network would lose, and loses no connection by that. */
export async function startProxies(cluster: Cluster): Promise<Network> {
  const proxies = new Map<Host, FaultProxy>()
  for (const host of cluster.hosts) proxies.set(host, await FaultProxy.start(host.port))
  return {
    through: [],
    attach: async () => undefined,
    keyOf: (host) => `127.0.0.1:${proxies.get(host)?.port}`,
    cut: async (host, ...directions) => proxies.get(host)?.partition(...directions),
    heal: async () => {
      for (const proxy of proxies.values()) proxy.heal()
    },
    end: async () => {
      await Promise.all([...proxies.values()].map((proxy) => proxy.close()))
    },
  }
}
