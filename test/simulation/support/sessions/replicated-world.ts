import type { HostKey } from '../../../../src/core/topology/host'
import { formatLsn } from '../../../../src/core/outcome/lsn'
import type { VirtualClock } from '../pool/clock'
import { World } from '../world'
import type { Question, Row, Server, Truth } from '../world'

/** One record of the log; the same object on every server that has it. */
interface Entry {
  /** The write that it is of; undefined: the beginning of a timeline. */
  readonly id: number | undefined
  readonly timeline: number
}

/** What one server has of the log. */
interface Wal {
  log: readonly Entry[]
  /** Of a standby: so many entries can be read. Of a primary: so many some standby has, which is when they can. */
  visible: number
  /** A standby that is restarted has replayed as much again at the least before it lets anybody in. */
  restartPoint: number
  /** For so long an entry lies there before it is replayed. */
  lagMillis: number
  /** Replay is paused. */
  held: boolean
}

/** A write whose answer waits for a standby. */
interface Waiting {
  readonly place: number
  readonly committed: () => void
}

/**
 * A primary that answers a write when a standby has it, and standbys that replay late. Whoever is promoted has all that was
 * acknowledged; the old primary is shut down before, and comes back as a standby, rewound: where there are two, what one of
 * them has is no history that a session could rely on.
 */
export class ReplicatedWorld extends World {
  readonly #clock: VirtualClock
  readonly #wal = new Map<Server, Wal>()
  /** Whether the role of the application is told what a standby receives. */
  readonly #isTold: boolean
  #leader: Server
  #waiting: Waiting[] = []
  #acknowledged = 0

  constructor(lags: readonly number[], clock: VirtualClock, isTold: boolean) {
    super(lags.length, [], [])
    this.#clock = clock
    this.#isTold = isTold
    this.#leader = this.server(0)
    this.servers.forEach((server, place) => {
      this.#wal.set(server, { log: [], visible: 0, restartPoint: 0, lagMillis: lags[place] ?? 0, held: false })
    })
  }

  get leader(): Server {
    return this.#leader
  }

  /** The writes that no failover has cut off. */
  get history(): ReadonlySet<number> {
    return new Set(this.#of(this.#leader).log.flatMap(({ id }) => (id === undefined ? [] : [id])))
  }

  override see(server: Server, asks: Question | undefined): readonly Row[] {
    const wal = this.#of(server)
    if (asks === undefined) {
      const seen = wal.log.slice(0, wal.visible).flatMap(({ id }) => (id === undefined ? [] : [id]))
      return [{ seen, host: server.key, leads: server.primary }]
    }
    if (asks === 'replayed' && server.primary) return []
    const lsn = formatLsn(lsnOf(asks === 'written' ? wal.log.length : wal.visible))
    return [{ lsn, timeline: String(this.#timelineOf(server) ?? this.#timelineAt(server, wal.restartPoint)) }]
  }

  override write(server: Server, id: number | undefined, committed: () => void): void {
    const wal = this.#of(server)
    wal.log = [...wal.log, { id, timeline: server.timeline }]
    this.#waiting.push({ place: wal.log.length, committed })
    this.#streamToAll()
  }

  override ask(server: Server): Truth {
    const truth = super.ask(server)
    if (truth.type === 'silence') return truth
    const wal = this.#of(server)
    const lsn = lsnOf(server.primary ? wal.log.length : wal.visible)
    return { type: 'answer', answer: Object.freeze({ ...truth.answer, lsn, timeline: this.#timelineOf(server) }) }
  }

  /** Who may be promoted: one that has all that was acknowledged. This one, if it has, or the one that has most. */
  successor(wanted: Server): Server | undefined {
    const { log } = this.#of(this.#leader)
    const has = (server: Server): boolean =>
      server.up &&
      server !== this.#leader &&
      (this.#acknowledged === 0 || this.#of(server).log[this.#acknowledged - 1] === log[this.#acknowledged - 1])
    if (has(wanted)) return wanted
    const [best] = this.servers.filter(has).sort((a, b) => this.#of(b).log.length - this.#of(a).log.length)
    return best
  }

  /** The old primary is down by now. */
  override promote(server: Server): void {
    const wal = this.#of(server)
    const timeline = Math.max(...this.servers.map((each) => each.timeline)) + 1
    Object.assign(server, { primary: true, timeline })
    this.#leader.primary = false
    this.#leader = server
    this.#waiting = []
    // All that it has received is replayed before it is a primary.
    wal.log = [...wal.log, { id: undefined, timeline }]
    wal.visible = wal.log.length
    this.#acknowledged = Math.max(this.#acknowledged, wal.log.length - 1)
    this.#streamToAll()
  }

  override start(server: Server): void {
    if (server.up) return
    const [wal, { log }] = [this.#of(server), this.#of(this.#leader)]
    const isRewound = server !== this.#leader && !isBeginningOf(wal.log, log)
    if (isRewound && !this.#leader.up) return
    server.up = true
    server.starts += 1
    if (server === this.#leader) wal.visible = wal.log.length
    else if (isRewound) Object.assign(wal, { log, visible: log.length, restartPoint: log.length })
    else {
      // A former primary has no more than what a standby has that stopped there.
      const replayed = Math.min(wal.visible, wal.log.length)
      wal.restartPoint = Math.min(wal.restartPoint, replayed)
      wal.visible = wal.restartPoint + Math.floor(this.#clock.random() * (replayed - wal.restartPoint + 1))
      this.#replay(server)
    }
    this.#streamToAll()
  }

  /** A standby whose history has parted from ours is rewound; it has to be shut down for that. */
  override demote(server: Server): void {
    if (server === this.#leader || isBeginningOf(this.#of(server).log, this.#of(this.#leader).log)) return
    server.up = false
    this.start(server)
  }

  /** From now on it replays later than before, or as soon as it can again. */
  lag(server: Server, millis: number): void {
    this.#of(server).lagMillis = millis
  }

  /** Its replay is paused, or goes on. */
  hold(server: Server): void {
    const wal = this.#of(server)
    wal.held = !wal.held
    if (!wal.held) this.#replay(server)
  }

  override calmDown(): void {
    for (const server of this.servers) {
      Object.assign(server, { reachable: true, slowMillis: 0 })
      Object.assign(this.#of(server), { held: false, lagMillis: 0 })
    }
    this.start(this.#leader)
    for (const server of this.servers) {
      this.start(server)
      this.demote(server)
      this.#replay(server)
    }
    this.#streamToAll()
  }

  #of(server: Server): Wal {
    const wal = this.#wal.get(server)
    if (wal === undefined) throw new Error(`${server.key} has no log`)
    return wal
  }

  /** A primary's; of a standby what its receiver has last received, which not everybody is told. */
  #timelineOf(server: Server): number | undefined {
    if (server.primary) return server.timeline
    return this.#isTold ? this.#timelineAt(server, this.#of(server).log.length) : undefined
  }

  #timelineAt(server: Server, place: number): number {
    return this.#of(server).log[place - 1]?.timeline ?? 1
  }

  #streamToAll(): void {
    for (const server of this.servers) this.#stream(server)
  }

  #stream(standby: Server): void {
    const leader = this.#leader
    const { length } = this.#of(leader).log
    const { starts } = standby
    const isOn = (): boolean =>
      standby !== leader && leader === this.#leader && leader.up && standby.up && standby.starts === starts
    if (!isOn()) return
    this.#clock.later('world', 1 + this.#clock.random() * 4, () => {
      const [wal, { log }] = [this.#of(standby), this.#of(leader)]
      if (!isOn() || !isBeginningOf(wal.log, log)) return
      if (wal.log.length < length) wal.log = log.slice(0, length)
      this.#received(leader, length)
      this.#replay(standby)
    })
  }

  /** Some standby has so much: it is acknowledged, and can be read. */
  #received(leader: Server, length: number): void {
    const wal = this.#of(leader)
    wal.visible = Math.max(wal.visible, length)
    this.#acknowledged = Math.max(this.#acknowledged, length)
    const told = this.#waiting.filter(({ place }) => place <= length)
    this.#waiting = this.#waiting.filter(({ place }) => place > length)
    for (const { committed } of told) committed()
  }

  #replay(standby: Server): void {
    const wal = this.#of(standby)
    const { starts } = standby
    const { length } = wal.log
    this.#clock.later('world', wal.lagMillis, () => {
      if (!standby.up || standby === this.#leader || standby.starts !== starts || wal.held) return
      wal.visible = Math.max(wal.visible, length)
      if (this.#clock.random() < 0.2) wal.restartPoint = wal.visible
    })
  }
}

/** Where a log of so many entries ends. */
function lsnOf(entries: number): bigint {
  return 4096n + 16n * BigInt(entries)
}

function isBeginningOf(log: readonly Entry[], other: readonly Entry[]): boolean {
  return log.length === 0 || log.at(-1) === other[log.length - 1]
}

/** Where a read was answered, and what it saw. */
export interface Seen {
  readonly seen: readonly number[]
  readonly host: HostKey
  readonly leads: boolean
}
