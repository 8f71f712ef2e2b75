import type { Client, PoolClient } from 'pg'
import type { HostKey } from '../core/topology/host'
import { hideClientOf } from '../client/hide-secrets'
import { connectionOf, isEnding } from '../client/pg-internals'
import { cutSocket, sessionOf } from './session'
import type { Session } from './session'

/** What the pool says to a client that it takes out of service; listeners of the pool never see it. */
export class RetiredError extends Error {
  constructor() {
    super('This client was retired: its host is not the one to go to any more')
    this.name = 'RetiredError'
  }
}

/**
 * The physical connections of one pool: which are idle, which are checked out, which dials are under way; and how they
 * are taken out of service without waiting for a server that may never answer.
 */
export class Clients {
  readonly #sessions = new Set<Session>()
  /** Those of them that pg-pool has not handed to anybody yet: `onConnect` runs. They count as checked out. */
  readonly #arriving = new Set<Session>()
  /** Checked-out clients of which no more is known: those of a pool that follows nobody. */
  readonly #strangers = new Set<Client>()
  readonly #releaseListeners = new Set<() => void>()
  #closing = false
  readonly #dials = new Map<(reason: Error) => void, HostKey>()

  /** The clients that are checked out. */
  get busy(): readonly Client[] {
    const busy = [...this.#sessions].filter((session) => session.busy).map(({ client }) => client)
    return [...busy, ...this.#strangers]
  }

  /** How many of them somebody has been given; the others are still in a hook of pg-pool's. */
  get handedOut(): number {
    return this.busy.length - this.#arriving.size
  }

  /** A connection has been made; pg-pool runs its hooks before it hands it over, and a host may freeze meanwhile. */
  opened(session: Session): void {
    session.busy = true
    this.#list(session)
    this.#arriving.add(session)
  }

  /** A session has ended. If a hook of pg-pool's had it, nobody else tells that it is gone. */
  lost(session: Session): void {
    if (!this.#arriving.has(session)) return
    this.removed(session.client)
    this.#tellReleased()
  }

  acquired(client: Client): void {
    const session = sessionOf(client)
    if (session === undefined) {
      this.#strangers.add(client)
      return
    }
    session.busy = true
    // On the way of every statement: one that was opened here is in the book already.
    if (this.#arriving.size > 0) this.#arriving.delete(session)
    if (!session.listed) this.#list(session)
  }

  released(client: Client): void {
    const session = sessionOf(client)
    if (session === undefined) this.#strangers.delete(client)
    else {
      session.busy = false
      session.held = false
      if (this.#closing) afterGoodbye(client)
      // pg-pool puts it among the idle when this event is over; a client that was in use when it was retired goes then.
      if (session.retired || session.announced) process.nextTick(() => session.busy || this.#dismiss(session))
    }
    if (this.#releaseListeners.size > 0) this.#tellReleased()
  }

  removed(client: Client): void {
    const session = sessionOf(client)
    if (session === undefined) this.#strangers.delete(client)
    else {
      session.listed = false
      this.#sessions.delete(session)
      this.#arriving.delete(session)
    }
  }

  /** Enters what a pool of pg's emits. False for what is for none of its listeners. */
  heard(event: string | symbol, args: readonly unknown[]): boolean {
    if (event === 'acquire') this.acquired(args[0] as Client)
    else if (event === 'release') this.released(args[1] as Client)
    else if (event === 'remove') this.removed(args[0] as Client)
    else if (event === 'error') {
      if (args[0] instanceof Error) hideClientOf(args[0])
      return !(args[0] instanceof RetiredError)
    }
    return true
  }

  #list(session: Session): void {
    session.listed = true
    this.#sessions.add(session)
  }

  /** A client that was connected before its pool was wrapped, and whose session has begun while it was checked out. */
  adopted(client: Client): void {
    this.#strangers.delete(client)
    this.acquired(client)
  }

  /** Calls back after every release, until the function that is returned is called. */
  onRelease(listener: () => void): () => void {
    this.#releaseListeners.add(listener)
    return () => this.#releaseListeners.delete(listener)
  }

  dialling(host: HostKey, abort: (reason: Error) => void): () => void {
    this.#dials.set(abort, host)
    return () => this.#dials.delete(abort)
  }

  /** No client of these hosts is handed out again: idle ones go now, the others when they are released. */
  retire(which: (session: Session) => boolean): void {
    for (const session of [...this.#sessions]) {
      if (session.retired || !which(session)) continue
      session.retired = true
      if (!session.busy) this.#retireIdle(session)
    }
  }

  /**
   * Cuts every connection to this host that is of `generation` or older, mid-statement or not, and every attempt to make
   * one.
   */
  cut(host: HostKey, generation: number, reason: Error, isOnHost: (client: Client) => boolean = () => false): void {
    const isOld = (session: Session): boolean => session.host === host && session.generation <= generation
    this.retire(isOld)
    for (const client of this.#strangers) if (isOnHost(client)) cutSocket(client)
    for (const session of this.#sessions) if (session.busy && isOld(session)) cutSocket(session.client)
    this.abortDials(reason, host)
  }

  /** Gives up the attempts to connect that are under way, to one host or to all. */
  abortDials(reason: Error, host?: HostKey): void {
    for (const [abort, to] of [...this.#dials]) if (host === undefined || to === host) abort(reason)
  }

  /** Takes a client out of service that pg-pool has just delivered and that nobody has been given. */
  retireDelivered(client: PoolClient): void {
    client.release(new RetiredError())
    cutSocket(client)
  }

  /** Lets every idle connection say goodbye and go, without waiting for the other side; the others when they are idle. */
  closeIdle(): void {
    this.#closing = true
    for (const session of this.#sessions) if (!session.busy) afterGoodbye(session.client)
    // For whom they were made has been answered.
    for (const { client } of this.#arriving) cutSocket(client)
  }

  #tellReleased(): void {
    for (const listener of this.#releaseListeners) listener()
  }

  #dismiss(session: Session): void {
    // pg-pool has dismissed it itself, and the server may have more to say.
    if (session.retired || !isEnding(session.client)) this.#retireIdle(session)
  }

  /**
   * By way of its `error` event an idle client leaves pg-pool at once, counts and all; the socket is not asked for its
   * opinion.
   */
  #retireIdle({ client }: Session): void {
    // One that is on its way out already has left pg-pool; only its socket may still wait for the other side.
    if (!isEnding(client)) client.emit('error', new RetiredError())
    cutSocket(client)
  }
}

/** Destroys the socket as soon as what was written to it is out. */
export function afterGoodbye(client: Client): void {
  const { stream } = connectionOf(client)
  stream.once('finish', () => stream.destroy())
}
