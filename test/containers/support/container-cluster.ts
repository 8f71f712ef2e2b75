import { setTimeout as sleep } from 'node:timers/promises'
import { Network } from 'testcontainers'
import type { StartedNetwork } from 'testcontainers'
import type { ClusterOptions, Host } from '../../support'
import { serverIdentity } from '../../support'
import type { SwitchoverOptions } from '../../support/cluster'
import { releasePort, reservePort } from '../../support/ports'
import { ReplicatedCluster } from '../../support/replicated-cluster'
import { followed } from '../../support/replication'
import { cacheRoot } from '../../support/scratch'
import { ContainerHost } from './container-host'

/** The cluster of test/support on a container engine: a container a host, in a network of their own. */
export class ContainerCluster extends ReplicatedCluster {
  readonly #network: StartedNetwork
  readonly #options: ClusterOptions
  readonly #locks: string[] = []
  #hosts: readonly ContainerHost[] = Object.freeze([])

  private constructor(network: StartedNetwork, options: ClusterOptions) {
    super()
    this.#network = network
    this.#options = options
  }

  static async start(options: Omit<ClusterOptions, 'archive'> = {}): Promise<ContainerCluster> {
    const cluster = new ContainerCluster(await new Network().start(), options)
    try {
      for (let count = 0; count < (options.hosts ?? 3); count += 1) await cluster.addHost()
    } catch (error) {
      await cluster.stop()
      throw error
    }
    return cluster
  }

  override get hosts(): readonly ContainerHost[] {
    return this.#hosts
  }

  override async addHost(): Promise<ContainerHost> {
    const upstream = this.#hosts.length === 0 ? undefined : await this.primary()
    const { port, lockFile } = await reservePort(cacheRoot(serverIdentity()))
    this.#locks.push(lockFile)
    const { settings = {}, synchronousStandbyNames: names = '' } = this.#options
    const host = new ContainerHost({
      name: `host${this.#hosts.length + 1}`,
      port,
      network: this.#network,
      settings: { synchronous_standby_names: names, ...settings },
    })
    this.#hosts = Object.freeze([...this.#hosts, host])
    await host.create(upstream)
    if (upstream !== undefined) await followed(host, upstream, 0)
    return host
  }

  override async rejoin(host: Host, upstream: Host): Promise<void> {
    await this.#own(host).create(upstream)
    await followed(host, upstream, 0)
  }

  override async switchover(to: Host, { followAfterMillis = 0 }: SwitchoverOptions = {}): Promise<void> {
    const old = await this.primary()
    if (old === to) throw new Error(`${to.name} is the primary already`)
    await followed(to, old, (await to.log()).length)
    // It ends when its standbys have all that it wrote, and a promotion begins with replaying that.
    await old.stop('fast')
    await this.promote(to)
    if (followAfterMillis > 0) await sleep(followAfterMillis)
    await Promise.all([this.gather(to, old), this.rejoin(old, to)])
  }

  override async stop(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.remove()))
    await this.#network.stop()
    for (const lock of this.#locks.splice(0)) releasePort(lock)
  }

  #own(host: Host): ContainerHost {
    const own = this.#hosts.find((each) => each === host)
    if (own === undefined) throw new Error(`${host.name} is not a host of this cluster`)
    return own
  }
}
