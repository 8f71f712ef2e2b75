import { ban, forgive, noBans, noteAnswer } from '../core/selection/ban'
import { noteLeader, noTrack } from '../core/selection/lag'
import { forgetRoundTrip, noRoundTrips, noteRoundTrip } from '../core/selection/latency'
import { eligibleReaders } from '../core/selection/readers'
import type { EligibleReaders, ReadRules } from '../core/selection/readers'
import type { HostKey, Observation } from '../core/topology/host'
import type { TopologyState } from '../core/topology/state'
import type { HostReason } from '../errors'
import { now } from '../runtime/clock'
import type { LivingTopology } from '../topology/living-topology'

/** What an application asks of the standbys that it reads from. */
export type ReadWishes = Omit<ReadRules, 'track' | 'tagsOf' | 'bans' | 'roundTrips'> & {
  readonly fallback: 'primary' | 'error'
}

/** Which hosts may be read from now, worked out once for all that is believed at one moment. */
export class Eligibility {
  readonly #topology: LivingTopology
  readonly #wishes: ReadWishes
  readonly #tagsOf: () => ReadRules['tagsOf']
  #track = noTrack
  #bans = noBans
  #roundTrips = noRoundTrips
  /** What they were worked out of. */
  #of: TopologyState | undefined
  #found: EligibleReaders = { readers: [], why: new Map(), until: -Infinity }
  #hosts: readonly HostKey[] = []

  /** `tagsOf`: what is said of the hosts now. */
  constructor(topology: LivingTopology, wishes: ReadWishes, tagsOf: () => ReadRules['tagsOf']) {
    this.#topology = topology
    this.#wishes = wishes
    this.#tagsOf = tagsOf
  }

  /** The same array as long as they are the same hosts. */
  get hosts(): readonly HostKey[] {
    this.#look()
    return this.#hosts
  }

  /** Whether any of them is one because it serves reads, and not because nobody else does. */
  get hasStandby(): boolean {
    this.#look()
    return this.#found.readers.length > 0
  }

  /** Of every other host, why it is not read from. */
  explain(): readonly HostReason[] {
    this.#look()
    return [...this.#found.why].map(([host, reason]) => ({ host, reason }))
  }

  /** When time alone brings somebody back; undefined if it does not. */
  get nextReturn(): number | undefined {
    this.#look()
    return this.#found.until === Infinity ? undefined : this.#found.until
  }

  /** A read could not be begun there, and it was the host's fault. */
  ban(host: HostKey): void {
    this.#bans = ban(this.#bans, host, now())
    this.#of = undefined
  }

  /** Something else is said of the hosts. */
  relisted(): void {
    this.#of = undefined
  }

  /** A host has left. */
  forget(host: HostKey): void {
    this.#bans = forgive(this.#bans, host)
    this.#roundTrips = forgetRoundTrip(this.#roundTrips, host)
    this.#of = undefined
  }

  /** What a host has answered to a question that was sent then; undefined: it did not. After the topology has taken note of it. */
  noted(host: HostKey, sentAt: number, answer: Observation | undefined): void {
    this.#of = undefined
    if (answer === undefined) {
      this.#roundTrips = forgetRoundTrip(this.#roundTrips, host)
      return
    }
    this.#bans = noteAnswer(this.#bans, host, sentAt)
    this.#roundTrips = noteRoundTrip(this.#roundTrips, host, answer.roundTripMillis)
    const leads = this.#topology.state.leader?.key === host
    if (leads && answer.lsn !== undefined) this.#track = noteLeader(this.#track, sentAt, answer.lsn, answer.timeline)
  }

  #look(): void {
    const { state } = this.#topology
    const at = now()
    if (state === this.#of && at < this.#found.until) return
    this.#of = state
    const known = { track: this.#track, tagsOf: this.#tagsOf(), bans: this.#bans, roundTrips: this.#roundTrips }
    this.#found = eligibleReaders(state, { ...this.#wishes, ...known }, at)
    const { readers } = this.#found
    const stepsIn = readers.length === 0 && this.#wishes.fallback === 'primary'
    const hosts = stepsIn ? this.#topology.targets('read-write').slice(0, 1) : readers
    const isSame = hosts.length === this.#hosts.length && hosts.every((host, place) => host === this.#hosts[place])
    if (!isSame) this.#hosts = hosts
  }
}
