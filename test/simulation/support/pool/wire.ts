import type { HostKey } from '../../../../src/core/topology/host'
import type { Question, Row, Server, Truth, World } from '../world'
import type { Book } from './book'
import type { Mover, VirtualClock } from './clock'

/** How a server lets its sessions go: as after kill -9, an immediate stop, a fast stop, or its idle ones for having been idle. */
export type Farewell = 'killed' | 'immediate' | 'fast' | 'idle'

/** What a session is told. */
export type Message =
  | { readonly type: 'ready'; readonly role: Role }
  | { readonly type: 'done'; readonly rows: readonly Row[] }
  | { readonly type: 'error' | 'notice'; readonly code: string; readonly severity: 'ERROR' | 'FATAL' | 'WARNING' }
  | { readonly type: 'told'; readonly truth: Truth }
  /** The connection has ended; `code` if by a socket error. */
  | { readonly type: 'end'; readonly code: string | undefined }

export interface Role {
  readonly inHotStandby: boolean
  readonly defaultTransactionReadOnly: boolean
}

/** A statement on its way. */
export interface Order {
  /** Undefined: nobody of the application's has asked for it. */
  readonly id: number | undefined
  readonly writes: boolean
  /** What the library asks of the server for itself. */
  readonly asks: Question | undefined
  /** How long the server works on it. */
  readonly work: number
  /** How long the answer then stays with the server, executed but untold. */
  readonly gap: number
}

/** All connections of the process under test, and what travels on them. */
export class Wire {
  readonly clock: VirtualClock
  readonly world: World
  readonly book: Book
  readonly links = new Set<Link>()
  /** What travels to and from servers that cannot be reached now, in order. */
  readonly #stuck: { readonly server: Server; readonly mover: Mover; readonly go: () => void }[] = []

  constructor(clock: VirtualClock, world: World, book: Book) {
    this.clock = clock
    this.world = world
    this.book = book
  }

  /** Connects; the host is called as the library calls it, `h1:5432`. */
  connect(host: HostKey, hear: (message: Message) => void): Link {
    const server = this.world.servers.find(({ key }) => key === host)
    if (server === undefined) throw new Error(`nobody is called ${host}`)
    const link = new Link(this, server, hear)
    this.links.add(link)
    link.begin()
    return link
  }

  /** A server ends its sessions. */
  dismiss(server: Server, farewell: Farewell): void {
    for (const link of [...this.links]) if (link.server === server) link.dismiss(farewell)
  }

  /** What was stuck moves on: all at once, but this process reads one socket after the other. */
  heal(server: Server): void {
    const free = this.#stuck.filter((each) => each.server === server)
    this.#stuck.splice(0, this.#stuck.length, ...this.#stuck.filter((each) => each.server !== server))
    for (const { mover, go } of free) this.clock.later(mover, 0, go)
  }

  stick(server: Server, mover: Mover, go: () => void): void {
    this.#stuck.push({ server, mover, go })
  }
}

/** One connection, with the backend at its other end. */
export class Link {
  readonly server: Server
  readonly #wire: Wire
  #hear: (message: Message) => void
  /** On this side. */
  open = true
  /** On the other side. */
  #backend: 'none' | 'alive' | 'gone' = 'none'
  /** What the backend works on; `executed` once it has been. */
  #order: { executed: boolean; readonly rows: readonly Row[] } | undefined
  #lastThere = 0
  #lastBack = 0

  constructor(wire: Wire, server: Server, hear: (message: Message) => void) {
    this.#wire = wire
    this.server = server
    this.#hear = hear
  }

  /** Whoever listens from now on. */
  hearing(hear: (message: Message) => void): void {
    this.#hear = hear
  }

  begin(): void {
    this.#send(() => {
      if (!this.server.up) return this.#reply({ type: 'end', code: 'ECONNREFUSED' })
      if (this.server.full) {
        this.#reply({ type: 'error', code: '53300', severity: 'FATAL' })
        return this.#reply({ type: 'end', code: undefined })
      }
      this.#backend = 'alive'
      this.#reply({ type: 'ready', role: this.#role() })
    })
  }

  /** A bare Sync. */
  sync(): void {
    this.#toBackend(() => this.#reply({ type: 'ready', role: this.#role() }))
  }

  /** The monitor's question. */
  ask(): void {
    this.#toBackend(() => this.#reply({ type: 'told', truth: this.#wire.world.ask(this.server) }))
  }

  execute(order: Order): void {
    this.#toBackend(() => {
      const { book, clock, world } = this.#wire
      // What a statement sees is what is there when it begins.
      const mine = { executed: false, rows: world.see(this.server, order.asks) }
      this.#order = mine
      const isMine = (): boolean => this.#backend === 'alive' && this.#order === mine
      const committed = (): void => {
        if (!isMine()) return
        mine.executed = true
        clock.later('world', order.gap, () => isMine() && this.#answer())
      }
      clock.later('world', order.work, () => {
        if (!isMine()) return
        const { inHotStandby, defaultTransactionReadOnly } = this.#role()
        if (order.writes && (inHotStandby || defaultTransactionReadOnly)) {
          this.#order = undefined
          return this.#reply({ type: 'error', code: '25006', severity: 'ERROR' })
        }
        if (order.id !== undefined) book.executed(order.id, this.server)
        if (order.writes) world.write(this.server, order.id, committed)
        else committed()
      })
    })
  }

  /** This side ends it: politely, or by destroying its socket. */
  close(politely: boolean): void {
    if (!this.open) return
    if (politely) {
      this.#toBackend(() => {
        this.#backend = 'gone'
        this.#reply({ type: 'end', code: undefined })
      })
      return
    }
    this.open = false
    this.#wire.links.delete(this)
    this.#send(() => (this.#backend = 'gone'))
  }

  dismiss(farewell: Farewell): void {
    if (this.#backend !== 'alive') return
    if (farewell === 'idle' && this.#order !== undefined) return
    // A fast stop waits for what is being committed.
    if ((farewell === 'fast' || farewell === 'idle') && this.#order?.executed === true) this.#answer()
    this.#order = undefined
    this.#backend = 'gone'
    if (farewell === 'fast') this.#reply({ type: 'error', code: '57P01', severity: 'FATAL' })
    if (farewell === 'idle') this.#reply({ type: 'error', code: '57P05', severity: 'FATAL' })
    if (farewell === 'immediate') this.#reply({ type: 'notice', code: '57P01', severity: 'WARNING' })
    this.#reply({ type: 'end', code: undefined })
  }

  #answer(): void {
    const { rows = [] } = this.#order ?? {}
    this.#order = undefined
    this.#reply({ type: 'done', rows })
  }

  #role(): Role {
    const { primary, fenced } = this.server
    return { inHotStandby: !primary, defaultTransactionReadOnly: primary && fenced }
  }

  #toBackend(run: () => void): void {
    this.#send(() => (this.#backend === 'alive' ? run() : this.#reply({ type: 'end', code: 'ECONNRESET' })))
  }

  #send(run: () => void): void {
    this.#lastThere = this.#travel('world', this.#lastThere, run)
  }

  #reply(message: Message): void {
    this.#lastBack = this.#travel('news', this.#lastBack, () => {
      if (!this.open) return
      if (message.type === 'end') {
        this.open = false
        this.#wire.links.delete(this)
      }
      this.#hear(message)
    })
  }

  /** Nothing overtakes on one connection; what meets a partition stays there until it heals. */
  #travel(mover: Mover, last: number, run: () => void): number {
    const { clock } = this.#wire
    const at = Math.max(last, clock.now + 2 + clock.random() * (5 + this.server.slowMillis))
    const arrive = (): void => (this.server.reachable ? run() : this.#wire.stick(this.server, mover, arrive))
    clock.later(mover, at - clock.now, arrive)
    return at
  }
}
