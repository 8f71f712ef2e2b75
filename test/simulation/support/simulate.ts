import type { TopologyEvent } from '../../../src/core/topology/events'
import { planEffects } from '../../../src/core/topology/effects'
import type { TopologyEffect } from '../../../src/core/topology/effects'
import { reduceTopology } from '../../../src/core/topology/reduce'
import { initialTopology } from '../../../src/core/topology/state'
import type { TopologyState } from '../../../src/core/topology/state'
import { targets } from '../../../src/core/topology/targets'
import type { History, Step } from './history'
import { World } from './world'

/** The rules under test; a broken copy of one of them must be caught. */
export interface Rules {
  readonly reduce: typeof reduceTopology
  readonly effects: typeof planEffects
  readonly targets: typeof targets
}

/** The real ones. */
export const realRules: Rules = { reduce: reduceTopology, effects: planEffects, targets }

/** One event and all that came of it. */
export interface Moment {
  readonly event: TopologyEvent
  /** When it was heard. */
  readonly now: number
  readonly before: TopologyState
  readonly after: TopologyState
  readonly effects: readonly TopologyEffect[]
  readonly writesTo: readonly string[]
  readonly anyTo: readonly string[]
}

/** How long another history must be all there is, in these simulations. */
export const lockoutMillis = 1000

/** Plays a history on a virtual clock; every event is a moment. Then all is well for a while: the calm. */
export function simulate(
  history: History,
  rules: Rules = realRules,
): { readonly moments: Moment[]; readonly calmFrom: number; readonly world: World } {
  const simulation = new Simulation(history, rules)
  for (const step of history.steps) simulation.perform(step)
  const calmFrom = simulation.calm()
  return { moments: simulation.moments, calmFrom, world: simulation.world }
}

class Simulation {
  readonly moments: Moment[] = []
  readonly world: World
  readonly #rules: Rules
  #state: TopologyState
  #now = 0
  #order = 0
  /** The decision that was last called for: a shell arms its timer once for each. */
  #ticked: number | undefined
  /** Whom the authority would name. */
  #named: number | undefined = 0
  /** Until when this process hears nothing. */
  #blockedUntil = -Infinity
  #due: { at: number; readonly order: number; readonly run: () => void }[] = []

  constructor(history: History, rules: Rules) {
    this.#rules = rules
    this.world = new World(history.hosts, history.foreign, history.unreadable)
    const keys = this.world.servers.map(({ key }) => key)
    const authority = history.governed ? 'dcs' : undefined
    this.#state = initialTopology(keys, { settleMillis: 100, lockoutMillis, authority })
  }

  perform(step: Step): void {
    switch (step.do) {
      case 'wait':
        return this.#passTime(step.millis)
      case 'round':
        this.world.servers.forEach((_server, index) => this.#probe(index, step.half))
        return
      case 'probe':
        return this.#probe(step.host, step.half)
      case 'suspect':
        return this.#tell({ type: 'suspected', host: this.world.server(step.host).key, at: this.#now })
      case 'reset':
        return this.#tell({ type: 'reset', at: this.#now })
      case 'list':
        return this.#list(step.bits)
      case 'name':
        this.#named = step.host
        return
      case 'consult':
        return this.#consult(step.half, step.lease, step.reached)
      case 'block':
        return this.#block(step.millis)
      default:
        this.world.disturb(step.do, this.world.server(step.host))
    }
  }

  /**
   * Everybody of ours can be reached and answers truthfully, one of them is the only primary and ahead, those of the
   * other cluster are silent; all hosts are asked every 100 ms, for twice as long as a lockout lasts.
   */
  calm(): number {
    this.#passTime(200)
    this.world.calmDown()
    const { hosts, delisted } = this.#state
    if (hosts.length < this.world.servers.length || delisted !== undefined) this.#list(0)
    const leading = this.world.servers.findIndex(({ foreign, primary }) => primary && !foreign)
    this.#named = leading < 0 ? undefined : leading
    const from = this.moments.length
    for (let round = 0; round < 2 * (lockoutMillis / 100); round += 1) {
      this.world.servers.forEach((_server, index) => this.#probe(index, 1))
      if (this.#state.authority !== undefined) this.#consult(1, 500, true)
      this.#passTime(100)
    }
    return from
  }

  #list(bits: number): void {
    const all = this.world.servers.map(({ key }) => key)
    const some = all.filter((_key, index) => (bits & (1 << index)) !== 0)
    this.#tell({ type: 'hosts', at: this.#now, keys: some.length > 0 ? some : all })
  }

  #probe(index: number, half: number): void {
    const server = this.world.server(index)
    const sentAt = this.#now
    this.#later(half, () => {
      const truth = this.world.ask(server)
      this.#later(half, () => {
        if (truth.type === 'answer')
          return this.#tell({ type: 'observed', host: server.key, at: sentAt, answer: truth.answer })
        const failure = { reason: truth.reason, aboutCaller: false, error: undefined }
        this.#tell({ type: 'failed', host: server.key, at: this.#now, failure })
      })
    })
  }

  #consult(half: number, leaseMillis: number, reached: boolean): void {
    const sentAt = this.#now
    this.#later(half, () => {
      const named = this.#named === undefined ? undefined : this.world.server(this.#named).key
      this.#later(half, () => {
        if (reached)
          this.#tell({ type: 'spoken', at: this.#now, verdict: { askedAt: sentAt, named, host: named, leaseMillis } })
        else this.#tell({ type: 'speechless', at: this.#now, reason: 'out of reach' })
      })
    })
  }

  /** Nothing is heard and no timer fires; then the timers come first, and late, and what was told meanwhile after them. */
  #block(millis: number): void {
    const { decideAt } = this.#state
    this.#blockedUntil = this.#now + millis
    if (decideAt !== undefined && decideAt < this.#blockedUntil - 50) {
      this.#now = this.#blockedUntil
      this.#tell({ type: 'stalled', at: this.#now, until: this.#now + 250 })
    }
    for (const due of this.#due) if (due.at < this.#blockedUntil) due.at = this.#blockedUntil
    this.#passTime(Math.max(0, this.#blockedUntil - this.#now))
  }

  #later(millis: number, run: () => void): void {
    this.#due.push({ at: this.#now + millis, order: this.#order++, run })
  }

  /** Runs what is due, in order of time, and the reducer's own clock with it. */
  #passTime(millis: number): void {
    const until = this.#now + millis
    for (;;) {
      const { decideAt } = this.#state
      this.#due.sort((a, b) => a.at - b.at || a.order - b.order)
      const [next] = this.#due
      const tickAt = decideAt === undefined || decideAt === this.#ticked ? Infinity : Math.max(decideAt, this.#now)
      if (Math.min(next?.at ?? Infinity, tickAt) > until) break
      if (next !== undefined && next.at <= tickAt) {
        this.#due.shift()
        this.#now = Math.max(this.#now, next.at)
        next.run()
      } else {
        this.#now = tickAt
        this.#ticked = decideAt
        this.#tell({ type: 'tick', at: tickAt })
      }
    }
    this.#now = until
  }

  #tell(event: TopologyEvent): void {
    const before = this.#state
    const after = this.#rules.reduce(before, event)
    this.#state = after
    this.moments.push({
      event,
      now: this.#now,
      before,
      after,
      effects: this.#rules.effects(before, after),
      writesTo: this.#rules.targets(after, 'read-write'),
      anyTo: this.#rules.targets(after, 'any'),
    })
  }
}
