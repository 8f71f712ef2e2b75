import type { ResolvedHost } from '../client/conninfo/follow-options'
import type { Tags } from '../core/selection/tags'
import type { HostKey } from '../core/topology/host'

/** Where the hosts of a pool are, and what is said of them: those of the list, and those who left it and matter still. */
export class Roster {
  #hosts: ReadonlyMap<HostKey, ResolvedHost> = new Map()
  #tags: ReadonlyMap<HostKey, Tags> = new Map()

  constructor(hosts: readonly ResolvedHost[]) {
    this.relist(hosts, () => false)
  }

  /** All of them. */
  get hosts(): readonly ResolvedHost[] {
    return [...this.#hosts.values()]
  }

  get tags(): ReadonlyMap<HostKey, Tags> {
    return this.#tags
  }

  host(key: HostKey): ResolvedHost {
    const host = this.#hosts.get(key)
    if (host === undefined) throw new Error(`${key} is not a host of this pool`)
    return host
  }

  /** The list is another one. `matters`: of a host that is not on it, whether it is to be known still. */
  relist(hosts: readonly ResolvedHost[], matters: (key: HostKey) => boolean): void {
    const stay = this.hosts.filter(({ key }) => matters(key))
    this.#hosts = new Map([...stay, ...hosts].map((host) => [host.key, host]))
    this.#tags = new Map(this.hosts.map(({ key, tags }) => [key, tags]))
  }
}
