import { createServer } from 'node:net'
import { listen } from '../../support/listen'
import type { Role } from './answers'
import { notificationResponse } from '../../support/backend'
import { FakeSession } from './fake-session'
import type { SessionHost } from './session-host'
import type { Action, Fault } from './fault'
import type { Authentication } from './greeting'
import { Ledger } from './ledger'
import { ReplayWaiters } from './replay'

export interface FakeServerOptions extends Partial<Role> {
  /** Default: trust. */
  readonly authentication?: Authentication
  /** Default: true. */
  readonly reportsRole?: boolean
  /** Default: 1. */
  readonly rowCount?: number
  /** Nothing stands between: it sees the client's own end of a connection. Default: true. */
  readonly direct?: boolean
}

/**
 * A PostgreSQL server as its clients see it, whose every word can be arranged. It answers handshakes, the questions of
 * monitors and any statement (with rows that count from 1), and where a fault was arranged it does that instead, once.
 */
export class FakeServer implements SessionHost {
  readonly #server = createServer((socket) => {
    socket.setNoDelay(true)
    socket.on('error', () => undefined)
    this.#accepted += 1
    const session = new FakeSession(socket, this)
    this.#sessions.add(session)
    socket.on('close', () => this.#sessions.delete(session))
  })
  readonly #sessions = new Set<FakeSession>()
  readonly #onStatement: { readonly pattern: RegExp; readonly fault: Fault }[] = []
  readonly #onConnection: Fault[] = []
  #always: Fault | undefined
  #accepted = 0
  readonly authentication: Authentication
  readonly reportsRole: boolean
  readonly rowCount: number
  readonly direct: boolean
  readonly ledger = new Ledger()
  readonly waiters = new ReplayWaiters()
  role: Role
  frozen = false
  /** The text of every statement of an application's that has arrived, in order; of several in one message as one. */
  readonly statements: string[] = []
  port = 0

  private constructor(options: FakeServerOptions) {
    const { authentication = 'trust', reportsRole = true, rowCount = 1, direct = true, ...role } = options
    this.authentication = authentication
    this.reportsRole = reportsRole
    this.rowCount = rowCount
    this.direct = direct
    const identity = { timeline: 1, systemIdentifier: '7', started: 1, replayLsn: null, version: 180_000 }
    const primary = { recovery: false, readOnly: false, ...identity }
    this.role = { ...primary, ...role }
  }

  /** A primary on timeline 1, unless options say otherwise. */
  static async start(options: FakeServerOptions = {}): Promise<FakeServer> {
    const server = new FakeServer(options)
    server.port = await listen(server.#server)
    return server
  }

  /** The next statement that matches meets this. Several are met one after another. */
  on(pattern: RegExp, ...faults: readonly Fault[]): void {
    for (const fault of faults) this.#onStatement.push({ pattern, fault })
  }

  /** The next connection meets this. Several are met one after another. */
  onConnection(...faults: readonly Fault[]): void {
    this.#onConnection.push(...faults)
  }

  /** Every connection meets this, until `heal`. */
  onEveryConnection(fault: Fault): void {
    this.#always = fault
  }

  heal(): void {
    this.#always = undefined
  }

  /** Faults that were arranged and have not been met. */
  get pending(): number {
    return this.#onStatement.length + this.#onConnection.length
  }

  takeConnectionFault(): Fault | undefined {
    return this.#onConnection.shift() ?? this.#always
  }

  takeStatementFault(text: string): Fault | undefined {
    const place = this.#onStatement.findIndex(({ pattern }) => pattern.test(text))
    return place < 0 ? undefined : this.#onStatement.splice(place, 1)[0]?.fault
  }

  received(text: string): void {
    this.statements.push(text)
  }

  terminate(xid: string): boolean {
    const session = [...this.#sessions].find((each) => each.xid === xid)
    session?.end()
    return session !== undefined
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#sessions.size
  }

  /** How many connections there have been. */
  get accepted(): number {
    return this.#accepted
  }

  /** Becomes something else; sessions learn of it with their next reply. */
  become(role: Partial<Role>): void {
    this.role = { ...this.role, ...role }
    this.waiters.look()
  }

  /** Says something to every session of an application's, unasked. */
  toAll(...actions: readonly Action[]): void {
    for (const session of this.#sessions) {
      if (session.ready && !session.isMonitor) for (const action of actions) action(session)
    }
  }

  /** Says something to every session of a monitor's. */
  toMonitors(...actions: readonly Action[]): void {
    for (const session of this.#sessions) if (session.isMonitor) for (const action of actions) action(session)
  }

  notify(channel: string, payload: string): void {
    this.toAll((line) => line.write(notificationResponse(channel, payload)))
  }

  /** Ends it for good, and whoever is connected with it. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const session of this.#sessions) session.end()
    await closed
  }
}
