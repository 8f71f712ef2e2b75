import type { Client } from 'pg'
import type { HostKey } from '../core/topology/host'
import { connectionOf } from '../client/pg-internals'

/** A physical connection of a pool, and what is known of it. */
export interface Session {
  readonly client: Client
  readonly host: HostKey
  /** The topology's generation when it was dialled. */
  readonly generation: number
  /** When it was last handed out or asked for a sign of life; it may be idle since. */
  usedAt: number
  /** In the book of its pool's clients. */
  listed: boolean
  /** Checked out, or on its way to a caller. */
  busy: boolean
  /** Not to be handed out again. */
  retired: boolean
  /** The connection has ended or its socket failed. */
  broken: boolean
  /** The topology in which it was last found to be on a host to go to; compared, never looked into. */
  suitedIn: unknown
  /** The server said that it ends this session: it will, in a moment, and is not cut off while it has more to say. */
  announced: boolean
  /** A notice announced that the server ends its sessions. */
  warned: boolean
}

/** Whether it is not to be handed out again, whatever becomes of its host. */
export function isGone(session: Session): boolean {
  return session.retired || session.broken || session.announced
}

/** A property of the client and not an entry of a map: it is looked at in every checkout. */
const key = Symbol('pg-leader.session')

/** Remembers what a client is connected to. */
export function beginSession(client: Client, host: HostKey, generation: number, at: number): Session {
  const flags = {
    listed: false,
    busy: false,
    retired: false,
    broken: false,
    announced: false,
    warned: false,
    suitedIn: undefined,
  }
  const session: Session = { client, host, generation, usedAt: at, ...flags }
  Object.defineProperty(client, key, { value: session, configurable: true })
  return session
}

/** The session of a client that was dialled here; undefined for one that was connected before we came. */
export function sessionOf(client: Client): Session | undefined {
  return (client as { readonly [key]?: Session })[key]
}

/** Cuts a connection without waiting for a server that may be frozen; what runs on it fails at once. */
export function cutSocket(client: Client): void {
  connectionOf(client).stream.destroy()
}
