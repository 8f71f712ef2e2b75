import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { listen } from '../listen'
import type { Cluster } from '../cluster'
import type { Host } from '../host'
import { PooledClient } from './pooled-client'
import type { Lender } from './pooled-client'
import { ServerSession } from './server-session'
import type { Destination } from './server-session'

export interface PoolerOptions {
  /** How many sessions on servers there may be at once; 3 by default. */
  readonly size?: number
  /** As whom it signs in; as the cluster's superuser by default. */
  readonly user?: string
  readonly password?: string
}

/** What becomes of the sessions there are when the pooler is switched to another server. */
export interface Switch {
  /** `ends` (default): each when its transaction is over. `stays`: they are lent on as long as their server lets them. */
  readonly old?: 'ends' | 'stays'
}

interface End {
  readonly statement: RegExp
  readonly happens: () => 'lost' | undefined
}

interface Waiter {
  resolve(session: ServerSession): void
  reject(error: unknown): void
}

/**
 * A stand-in for a pooler in transaction mode, as PgBouncer is one: clients have a process id that is no server's, and what
 * they say goes over whatever session on a server is free, the one that was idle longest, from the first message of a
 * transaction to its end. Session state, COPY and named statements are not minded.
 */
export class Pooler implements Lender {
  readonly #server = createServer((socket) => this.#accept(socket))
  readonly #options: PoolerOptions
  readonly #clients = new Set<PooledClient>()
  readonly #sessions = new Set<ServerSession>()
  #idle: ServerSession[] = []
  #waiters: Waiter[] = []
  #opening = 0
  #destination: Destination
  #old: 'ends' | 'stays' = 'ends'
  #ends: readonly End[] = []
  #port = 0
  #pids = 1_000_000

  private constructor(destination: Destination, options: PoolerOptions) {
    this.#destination = destination
    this.#options = options
  }

  /** In front of one host of a cluster. */
  static async start({ user, password, database }: Cluster, host: Host, options: PoolerOptions = {}): Promise<Pooler> {
    const pooler = new Pooler({ port: host.port, user, password, database, ...options }, options)
    pooler.#port = await listen(pooler.#server, 'returning')
    return pooler
  }

  get port(): number {
    return this.#port
  }

  /** The ports of the servers that there are sessions on, one entry a session. */
  get serverPorts(): readonly number[] {
    return [...this.#sessions].map(({ port }) => port)
  }

  /** New sessions go to another host from now on, as after a failover that somebody told the pooler of. */
  switchTo(host: Host, { old = 'ends' }: Switch = {}): void {
    this.#destination = { ...this.#destination, port: host.port }
    this.#old = old
    if (old === 'ends') for (const session of this.#idle.splice(0)) session.end()
  }

  /**
   * When the next transaction is over in which such a statement was sent, before its client hears of it. `lost`: its client
   * never does; it is told that the server is lost.
   */
  atEndOf(statement: RegExp, happens: () => 'lost' | undefined): void {
    this.#ends = [...this.#ends, { statement, happens }]
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const client of this.#clients) client.end()
    for (const session of this.#sessions) session.end()
    await closed
  }

  borrow(): Promise<ServerSession> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
      this.#serve()
    })
  }

  giveBack(session: ServerSession, clean: boolean): void {
    const isWanted = this.#old === 'stays' || session.port === this.#destination.port
    if (!clean || !isWanted) session.end()
    else if (!session.ended) this.#idle.push(session)
    this.#serve()
  }

  async greeting(): Promise<ReadonlyMap<string, string>> {
    const session = await this.borrow()
    this.giveBack(session, true)
    return session.parameters
  }

  loses(statements: string): boolean {
    const end = this.#ends.find(({ statement }) => statement.test(statements))
    if (end === undefined) return false
    this.#ends = this.#ends.filter((each) => each !== end)
    return end.happens() === 'lost'
  }

  #accept(socket: Socket): void {
    this.#pids += 1
    const client = new PooledClient(socket, this, this.#pids)
    this.#clients.add(client)
    socket.on('close', () => this.#clients.delete(client))
  }

  #serve(): void {
    while (this.#waiters.length > 0 && this.#idle.length > 0) this.#waiters.shift()?.resolve(this.#idle.shift()!)
    const { size = 3 } = this.#options
    while (this.#opening < this.#waiters.length && this.#opening + this.#sessions.size < size) void this.#open()
  }

  async #open(): Promise<void> {
    this.#opening += 1
    try {
      const session: ServerSession = await ServerSession.open(this.#destination, () => {
        this.#sessions.delete(session)
        this.#idle = this.#idle.filter((each) => each !== session)
        this.#serve()
      })
      this.#sessions.add(session)
      this.#opening -= 1
      this.giveBack(session, true)
    } catch (error) {
      this.#opening -= 1
      // Whoever waits is told so, all at once.
      for (const { reject } of this.#waiters.splice(0)) reject(error)
    }
  }
}
