import type { Discovery } from '../discovery/discovery'
import { DiscoveryProbe } from '../discovery/discovery-probe'
import type { DiscoveryResult } from '../discovery/discovery-probe'
import { Monitor } from '../monitor/monitor'
import { createLog } from '../runtime/log'
import { random } from '../runtime/random'

const log = createLog('topology')

/** Until a source that has failed is asked again, or any while nobody leads, where hosts are asked less often. */
const retryMillis = 1000

/** One host of the list. */
interface Listed {
  readonly key: string
}

/** Whose list of hosts it is. */
export interface ListOwner<Host extends Listed> {
  readonly times: { readonly intervalMillis: number; readonly timeoutMillis: number }
  /** The list until sources have answered. */
  readonly seeds: readonly Host[]
  /** Judges the entries of an answer. What it throws is why they cannot be used. */
  read(entries: readonly unknown[]): readonly Host[]
  leaderless(): boolean
  /** The list, after a source has answered. */
  listed(hosts: readonly Host[]): void
}

/**
 * Keeps a list of hosts by what sources say. Each part that a source has not told yet is the list that there was at first; what it said last
 * holds while it fails, is silent, or lists nothing.
 */
export class Discovering<Host extends Listed> {
  readonly #owner: ListOwner<Host>
  readonly #monitors: readonly Monitor<DiscoveryResult>[]
  readonly #said: (readonly Host[])[]
  readonly #failures: (string | undefined)[] = []
  #list: readonly Host[]

  constructor(sources: readonly Discovery[], owner: ListOwner<Host>) {
    this.#owner = owner
    this.#list = owner.seeds
    this.#said = sources.map(() => owner.seeds)
    this.#monitors = sources.map((source, place) => {
      const asking = {
        intervalMillis: () => this.#interval(place),
        slow: () => undefined,
        report: (name: string, _sentAt: number, result: DiscoveryResult) => this.#report(name, place, result),
      }
      return new Monitor(source.name, new DiscoveryProbe(source), asking, owner.times.timeoutMillis)
    })
  }

  /** Asks all of them at once. */
  wake(): void {
    for (const monitor of this.#monitors) monitor.wake()
  }

  stop(): void {
    for (const monitor of this.#monitors) monitor.stop()
  }

  #report(name: string, place: number, result: DiscoveryResult): void {
    const hosts = result.ok ? this.#read(result.hosts) : result.reason
    const failure = typeof hosts === 'string' ? hosts : undefined
    if (failure !== this.#failures[place]) log('%s %s', name, failure ?? 'lists hosts again')
    this.#failures[place] = failure
    if (typeof hosts === 'string') return
    this.#said[place] = hosts
    this.#list = this.#merge()
    this.#owner.listed(this.#list)
  }

  #read(entries: readonly unknown[]): readonly Host[] | string {
    try {
      return this.#owner.read(entries)
    } catch (error) {
      return `gave an answer that cannot be used: ${error instanceof Error ? error.message : String(error)}`
    }
  }

  /** Of a host that several sources list the first of them has the say. Who is on the list already keeps its place. */
  #merge(): readonly Host[] {
    const said = new Map<string, Host>()
    for (const host of this.#said.flat()) if (!said.has(host.key)) said.set(host.key, host)
    const stays = this.#list.flatMap(({ key }) => said.get(key) ?? [])
    const comes = [...said.values()].filter(({ key }) => !this.#list.some((known) => known.key === key))
    return [...stays, ...comes]
  }

  #interval(place: number): number {
    const { times } = this.#owner
    const isWanted = this.#failures[place] !== undefined || this.#owner.leaderless()
    const interval = isWanted ? Math.min(times.intervalMillis, retryMillis) : times.intervalMillis
    return interval * (0.8 + random() * 0.15)
  }
}
