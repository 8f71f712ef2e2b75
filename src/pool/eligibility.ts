import { explain } from '../core/topology/explain'
import type { HostKey } from '../core/topology/host'
import type { TopologyState } from '../core/topology/state'
import type { HostReason } from '../errors'
import { now } from '../runtime/clock'
import type { LivingTopology } from '../topology/living-topology'

/** Which hosts may be read from now, worked out once for all that is believed at one moment. */
export class Eligibility {
  readonly #topology: LivingTopology
  readonly #fallback: 'primary' | 'error'
  #state: TopologyState | undefined
  #hosts: readonly HostKey[] = []
  #until = Infinity
  readonly #bans = new Map<HostKey, number>()

  constructor(topology: LivingTopology, fallback: 'primary' | 'error') {
    this.#topology = topology
    this.#fallback = fallback
  }

  get hosts(): readonly HostKey[] {
    const { state } = this.#topology
    if (state !== this.#state || now() >= this.#until) this.#look(state)
    return this.#hosts
  }

  explain(): readonly HostReason[] {
    return explain(this.#topology.state, 'standby')
  }

  ban(host: HostKey): void {
    this.#bans.set(host, now() + 1000)
    this.#state = undefined
  }

  get nextReturn(): number | undefined {
    const ends = [...this.#bans.values()].filter((end) => end > now())
    return ends.length === 0 ? undefined : Math.min(...ends)
  }

  #look(state: TopologyState): void {
    const at = now()
    const free = (host: HostKey): boolean => (this.#bans.get(host) ?? 0) <= at
    const standbys = this.#topology.targets('standby').filter(free)
    const rest = this.#fallback === 'primary' ? this.#topology.targets('read-write').filter(free) : []
    const hosts = standbys.length > 0 ? standbys : rest
    const same = hosts.length === this.#hosts.length && hosts.every((host, place) => host === this.#hosts[place])
    if (!same) this.#hosts = hosts
    this.#state = state
    this.#until = this.nextReturn ?? Infinity
  }
}
