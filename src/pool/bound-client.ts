import type { Client } from 'pg'
import type { SessionNews } from '../client/session-news'
import { dialSigningIn } from '../client/sign-in'
import type { SignIn } from '../client/sign-in'
import type { Parked } from '../client/dial'
import { hideClient } from '../client/hide-secrets'
import { boundToOneHost } from '../client/one-host'
import type { SessionRole } from '../core/selection/target-session-attrs'
import type { HostKey } from '../core/topology/host'
import { now } from '../runtime/clock'
import { beginSession, cutSocket } from './session'
import type { Session } from './session'

/** Where a new client of a pool is to be connected. */
export interface Destination {
  readonly host: HostKey
  /** Of the topology, when the session is taken. */
  readonly generation: () => number
  readonly signIn: SignIn
  readonly timeoutMillis: number
  accept(role: SessionRole): string | undefined
  /** A dial is under way; `abort` ends it. Returns what to call when it has ended. */
  dialling(abort: (reason: Error) => void): () => void
  /** For a host that may be the one to go to soon: told how to have a session judged again that will not do yet. */
  readonly park?: (parked: Parked) => void
}

/** What the clients of a pool ask and tell their pool. */
export interface ClientOwner {
  /** The host to dial now, or why there is none. Never waits. */
  destination(): Destination | Error
  /** Requests of this pool's own are open: what connects now is for them, and must not wait. */
  isAwaited(): boolean
  /** For clients that somebody else made, or asked for: resolves when there is a host to go to; rejects when the longest hold is over. */
  whenAvailable(): Promise<void>
  /** Whether a session dialled under this generation is of use still. */
  stillWanted(host: HostKey, generation: number): boolean
  opened(session: Session): void
  /** Before a new session is handed to anybody: rejects if it is of no use after all. */
  readonly prepare?: (session: Session) => Promise<void>
  /** Takes over what is sent on a client, or leaves it: then it returns undefined. */
  readonly intercept?: (client: Client, args: readonly unknown[], send: Send) => Answer | undefined
  failed(host: HostKey, error: Error): void
  /** The session came when its host was no more the one to go to; returns the error for pg-pool. */
  late(error: Error): Error
  news(session: Session, news: SessionNews): void
  /** An `error` event that nobody listens to. */
  unheard(error: unknown): void
}

/** Sends on a client what its pool's own class was given. */
export type Send = (client: Client, args: readonly unknown[]) => unknown

/** What the caller of an intercepted `query` gets in its place. */
export interface Answer {
  readonly returned: unknown
}

type ConnectCallback = (error: Error | undefined, client?: Client) => void

/**
 * The clients of a pool: `connect()` takes the host that the topology names at that moment, dials it once and judges
 * its role before pg learns that it is ready. A host that may lead soon is dialled as well, and its session parked. For pg-pool it never waits: with no host to go to it fails at once, and
 * its pool knows what that means.
 */
export function bindClient(Base: typeof Client, owner: ClientOwner): typeof Client {
  const { emit } = Base.prototype
  const methods = {
    connect(this: Client, callback?: ConnectCallback): Promise<Client> | undefined {
      if (callback !== undefined) {
        const go = (): void => dialDestination(this, Base, owner, callback)
        if (owner.isAwaited()) go()
        else void owner.whenAvailable().then(go, callback)
        return undefined
      }
      const dialled = (): Promise<Client> =>
        new Promise((resolve, reject) => {
          dialDestination(this, Base, owner, (error) => (error === undefined ? resolve(this) : reject(error)))
        })
      return owner.whenAvailable().then(dialled)
    },

    /** Never crashes the process: an `error` that nobody listens to is written to the log. */
    emit(this: Client, event: string | symbol, ...args: unknown[]): boolean {
      if (event === 'error' && this.listenerCount('error') === 0) {
        owner.unheard(args[0])
        return false
      }
      return emit.call(this, event as never, ...(args as never[]))
    },
  }
  const { intercept } = owner
  if (intercept !== undefined) {
    // Looked up when it is called: an instrumentation may have put itself in place since.
    const send: Send = (client, args) => Reflect.apply(Base.prototype.query, client, args as unknown[])
    Object.assign(methods, {
      query(this: Client, ...args: unknown[]): unknown {
        const answer = intercept(this, args, send)
        return answer === undefined ? send(this, args) : answer.returned
      },
    })
  }
  const Bound = class extends (Base as new (...args: unknown[]) => object) {
    constructor(config?: object | null) {
      super(withoutHosts(config))
    }
  }
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(Bound.prototype, name, { value, writable: true, configurable: true })
  }
  hideClient(Bound.prototype)
  return Object.defineProperty(Bound, 'name', { value: Base.name }) as unknown as typeof Client
}

/**
 * What a client is made of before it knows its host: everything the user set, and nothing that pg would try to read as
 * one host. All that speaks of the connection is replaced when it is dialled.
 */
function withoutHosts(config: object | null | undefined): object {
  const descriptors = Object.getOwnPropertyDescriptors(config ?? {})
  const placeholder = { connectionString: undefined, host: undefined, port: undefined, stream: undefined, ssl: true }
  return boundToOneHost(Object.assign(Object.defineProperties({}, descriptors), placeholder))
}

/** Gives one client what every client of a following pool has: an `error` that nobody listens to is only logged. */
export function hearErrors(client: Client, unheard: (error: unknown) => void): void {
  const emit = client.emit.bind(client) as (...args: unknown[]) => boolean
  const value = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event !== 'error' || client.listenerCount('error') > 0) return emit(event, ...args)
    unheard(args[0])
    return false
  }
  Object.defineProperty(client, 'emit', { value, writable: true, configurable: true })
}

function dialDestination(client: Client, Base: typeof Client, owner: ClientOwner, callback: ConnectCallback): void {
  const to = owner.destination()
  if (to instanceof Error) {
    process.nextTick(callback, to)
    return
  }
  let session: Session | undefined
  const { host, generation, signIn, timeoutMillis, park } = to
  const attempt = {
    where: host,
    timeoutMillis,
    accept: (role: SessionRole) => to.accept(role),
    ...(park === undefined ? {} : { park }),
    observe: (news: SessionNews) => {
      session ??= beginSession(client, host, generation(), now())
      owner.news(session, news)
    },
  }
  const dialling = dialSigningIn(client, Base, attempt, signIn, (error) => {
    if (error !== undefined) {
      owner.failed(host, error)
      abandon()
      callback(error)
      return
    }
    abandon()
    session ??= beginSession(client, host, generation(), now())
    if (!owner.stillWanted(host, session.generation)) {
      const late = new Error(`${host} is not the host to go to any more`)
      session.retired = true
      cutSocket(client)
      callback(owner.late(late))
      return
    }
    owner.opened(session)
    if (owner.prepare === undefined) return callback(undefined, client)
    owner.prepare(session).then(
      () => callback(undefined, client),
      (why: unknown) => {
        cutSocket(client)
        callback(why as Error)
      },
    )
  })
  const abandon = to.dialling((reason) => dialling.abort(reason))
}
