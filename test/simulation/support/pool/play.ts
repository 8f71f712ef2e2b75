import type { TopologyEvent } from '../../../../src/core/topology/events'
import { acceptsWrites } from '../../../../src/core/topology/host'
import type { HostKey } from '../../../../src/core/topology/host'
import { isHostSelectionTimeoutError } from '../../../../src/errors'
import { Pool } from '../../../../src/facade/pool'
import { Checkout } from '../../../../src/pool/checkout'
import { LivingTopology } from '../../../../src/topology/living-topology'
import { Ledger } from '../ledger'
import { World } from '../world'
import { Application } from './application'
import { Book } from './book'
import type { Entry } from './book'
import { VirtualClock } from './clock'
import { befall, calmDown, isWell } from './cluster'
import type { History, Step } from './history'
import { judgeCalls, show } from './invariants'
import type { InvariantName, Violations } from './invariants'
import { Line } from './line'
import { SimClient } from './sim-client'
import { enter } from './stage'
import { Wire } from './wire'

/** The longest hold, in these simulations. */
export const holdMillis = 1500
/** For so long all has to be well before a caller may rely on being served. */
export const findMillis = 900

/** After so long no timer may be left of a pool that has ended. */
const epilogueMillis = 25

/** What came of a history. */
export interface Played {
  readonly violations: Violations
  readonly book: Book
  /** How often a host was believed to be down, or put in doubt. */
  readonly alarms: number
  /** How often there was another leader. */
  readonly failovers: number
}

/**
 * Plays a history with the whole library over simulated servers and a virtual clock. Then all is well for a while: the calm. The
 * dial and the probe are to be replaced by their stand-ins (`vi.mock`).
 */
export async function play(history: History): Promise<Played> {
  const player = new Player(history)
  const restore = player.enter()
  try {
    await player.play()
  } finally {
    restore()
  }
  return player
}

class Player {
  readonly violations = new Map<InvariantName, string>()
  readonly book: Book
  alarms = 0
  failovers = 0
  readonly #history: History
  readonly #clock: VirtualClock
  readonly #world: World
  readonly #wire: Wire
  readonly #ledger: Ledger
  readonly #line: Line
  #topology: LivingTopology | undefined
  /** Since when all is well with the servers; undefined while it is not. */
  #wellSince: number | undefined = 0
  #ended: Promise<void> | undefined
  #isEnded = false
  #timersLeft = 0

  constructor(history: History) {
    this.#history = history
    this.#clock = new VirtualClock(history.seed)
    this.book = new Book(
      () => this.#clock.now,
      (entry, error) => this.#onSettled(entry, error),
    )
    this.#world = new World(history.hosts, history.odd.foreign, history.odd.unreadable)
    this.#wire = new Wire(this.#clock, this.#world, this.book)
    this.#ledger = new Ledger(
      this.#world.servers.map(({ key }) => key),
      holdMillis,
    )
    this.#line = new Line((why) => this.#wrong('held callers leave in order', why))
  }

  /** Takes the stage; what is returned leaves it. */
  enter(): () => void {
    const [line, ledger] = [this.#line, this.#ledger]
    const note = (topology: LivingTopology, event: TopologyEvent): void => {
      this.#topology = topology
      if (event.type === 'failed' || event.type === 'suspected') this.alarms += 1
    }
    const count = (generations: number): void => void (this.failovers += generations)
    const { enter: join } = Checkout.prototype
    const { dispatch } = LivingTopology.prototype
    Checkout.prototype.enter = function (call, callback) {
      join.call(this, call, line.joined(call, callback))
    }
    LivingTopology.prototype.dispatch = function (event) {
      note(this, event)
      const { generation, leader } = this.state
      ledger.note(event)
      ledger.mindLockout(event, leader !== undefined)
      dispatch.call(this, event)
      ledger.noteLeader(this.state)
      if (generation > 0) count(this.state.generation - generation)
    }
    const { emitWarning } = process
    // That another history counts as ours is to be heard, but not of thousands of simulated clusters.
    process.emitWarning = () => undefined
    this.#clock.install()
    enter({ wire: this.#wire, onSend: (id, host) => this.#onSend(id, host) })
    return () => {
      Object.assign(Checkout.prototype, { enter: join })
      Object.assign(LivingTopology.prototype, { dispatch })
      Object.assign(process, { emitWarning })
      this.#clock.uninstall()
      enter(undefined)
    }
  }

  async play(): Promise<void> {
    const { steps, endAfter } = this.#history
    const pool = this.#makePool()
    const application = new Application(pool, this.book, this.#clock)
    for (const [place, step] of steps.entries()) {
      await this.#perform(step, pool, application)
      if (place === endAfter) this.#end(pool)
    }
    calmDown(this.#wire)
    this.#mindWellBeing(true)
    await this.#clock.pass(2 * holdMillis)
    // Whoever comes now is served: nothing may keep the pool from finding the one true leader.
    const late = this.#ended === undefined && this.#world.ours.length > 0 ? application.callAll() : []
    await this.#clock.pass(findMillis)
    for (const { id } of late) {
      const [settled] = this.book.entry(id).settled
      if (settled === undefined || settled.error !== undefined)
        this.#wrong(
          'with a leader up long enough every held call succeeds',
          `${id} came in the calm: ${show(settled?.error)}`,
        )
    }
    this.#end(pool)
    await this.#clock.pass(1000)
    judgeCalls(this.book, (name, why) => this.#wrong(name, why))
    this.#judgeEnd(pool)
  }

  #makePool(): Pool {
    const { max, connectionTimeoutMillis, aliveCheckMillis } = this.#history
    const hosts = this.#world.servers.map(({ key }) => key.split(':')[0]).join(',')
    const pool = new Pool({
      host: hosts,
      port: 5432,
      user: 'app',
      password: 'secret',
      database: 'shop',
      targetSessionAttrs: 'read-write',
      Client: SimClient as never,
      max,
      idleTimeoutMillis: 400,
      connectionTimeoutMillis,
      failoverTimeoutMillis: holdMillis,
      aliveCheckMillis,
      monitor: { intervalMillis: 700, leaderlessIntervalMillis: 25, timeoutMillis: 200 },
    })
    return pool
  }

  async #perform(step: Step, pool: Pool, application: Application): Promise<void> {
    switch (step.do) {
      case 'call':
        return application.call(step)
      case 'wait':
        return this.#clock.pass(step.millis)
      case 'stall':
        await this.#clock.stall(step.millis)
        this.#mindWellBeing(false)
        return
      case 'pause':
        void pool.pause().catch(() => undefined)
        await this.#clock.pass(step.millis)
        pool.resume()
        this.#mindWellBeing(false)
        return
      case 'trouble':
        befall(this.#wire, step.what, step.host)
        this.#mindWellBeing(false)
        return
      default:
        step satisfies never
    }
  }

  #mindWellBeing(keeps: boolean): void {
    const since = (keeps ? this.#wellSince : undefined) ?? this.#clock.now
    this.#wellSince = isWell(this.#world) ? since : undefined
  }

  #onSend(id: number, host: HostKey): void {
    this.book.sent(id, host)
    const { kind } = this.book.entry(id)
    if (kind === 'read') return
    const { answer, doubtedAt } = this.#ledger.entry(host)
    const leader = this.#topology?.state.leader?.key
    if (leader !== host || doubtedAt !== undefined || !acceptsWrites(answer)) {
      const why = `${kind} ${id} was sent to ${host}, ${doubtedAt === undefined ? `${leader} leads` : 'which is in doubt'}`
      this.#wrong('a write goes only to a host believed to be the leader at that instant', why)
    }
    const seen = Math.max(this.#ledger.highest, this.#ledger.confirmed)
    if (answer?.timeline !== undefined && answer.timeline < seen) {
      const why = `${kind} ${id} was sent to ${host} on timeline ${answer.timeline}, ${seen} has been seen`
      this.#wrong('a write never goes to a lower timeline than the highest seen', why)
    }
  }

  /** Nobody is held in vain while all has been well for long. */
  #onSettled({ id, at }: Entry, error: unknown): void {
    if (!isHostSelectionTimeoutError(error) || this.#topology === undefined || this.#wellSince === undefined) return
    // What was believed of another cluster is believed for as long as a hold lasts, or while it answers.
    if (this.#history.odd.foreign.length > 0 && this.#topology.state.systemIdentifier !== 'ours') return
    // A second primary of one timeline does not inherit the lead before nothing else has answered for as long as a hold lasts.
    if (error.hosts.some(({ reason }) => reason.startsWith('claimed the lead'))) return
    const wellFor = this.#clock.now - Math.max(this.#wellSince, at)
    if (wellFor > findMillis) {
      const why = `${id} failed after all had been well for ${wellFor} ms: ${show(error)}`
      this.#wrong('with a leader up long enough every held call succeeds', why)
    }
  }

  #end(pool: Pool): void {
    this.#ended ??= pool.end().then(() => {
      this.#isEnded = true
      // The story of the last failover may have been about to be told; and pg-pool lets the time run that its own queue had.
      const epilogue = epilogueMillis + (this.#history.connectionTimeoutMillis ?? 0)
      this.#clock.later('timer', epilogue, () => void (this.#timersLeft = this.#clock.timers))
    })
  }

  #judgeEnd(pool: Pool): void {
    const left = {
      timers: this.#timersLeft,
      connections: this.#wire.links.size,
      waiting: this.#line.size + pool.waitingCount,
      clients: pool.totalCount,
      ends: this.#isEnded ? 0 : 1,
    }
    const what = Object.entries(left).filter(([, count]) => count > 0)
    if (what.length > 0) this.#wrong('after end() nothing is left', what.map((each) => each.join(': ')).join(', '))
  }

  #wrong(name: InvariantName, why: string): void {
    if (!this.violations.has(name)) this.violations.set(name, why)
  }
}
