import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import type { Client } from 'pg'

/**
 * The parts of pg's Connection that are used here and that its type declarations leave out. They are the same from
 * pg 8.16 to 8.23.
 */
export interface RawConnection extends EventEmitter {
  stream: Duplex
  /** Sends one simple query. */
  query(text: string): void
  /** Sends a Sync alone. */
  sync(): void
  /** Says Terminate and half-closes. */
  end(): void
  ref(): void
  unref(): void
  /** Has a parser read what the stream gives. A ready-made connection of the user's need not have it. */
  attachListeners?(stream: object): void
}

/** Messages of the backend as pg-protocol parses them, by the name of the event that carries them. */
export interface ParameterStatusMessage {
  readonly parameterName: string
  readonly parameterValue: string
}

export interface DataRowMessage {
  readonly fields: readonly (string | null)[]
}

export interface ReadyForQueryMessage {
  /** `I`: idle; `T`: in a transaction; `E`: in one that has failed. */
  readonly status: string
}

export interface NoticeOrError extends Error {
  readonly code?: string
}

/** The connection of a client, with the members its public type hides. */
export function connectionOf(client: Client): RawConnection {
  return client.connection as unknown as RawConnection
}

/** A client seen as the bag of properties it is, for the few that have no public name. */
export function propertiesOf(client: Client): Record<string, unknown> {
  return client as object as Record<string, unknown>
}

/** Whether `end()` was called on it, by pg-pool or by anybody: that its connection closes then is no news. */
export function isEnding(client: Client): boolean {
  return (client as unknown as { readonly _ending: boolean })._ending
}

/** Has what `send` queues sent before all that is in the queue already. */
export function sendAhead(client: Client, send: () => void): void {
  const queue = queueOf(client)
  const { length } = queue
  send()
  // Refused at once, or sent at once, it is not there.
  if (queue.length > length) queue.unshift(...queue.splice(length))
}

/** To ask for the old name of it is deprecated where there is a new one. */
function queueOf(client: Client): unknown[] {
  const named = client as unknown as { readonly _queryQueue?: unknown[]; readonly queryQueue?: unknown[] }
  return named._queryQueue ?? named.queryQueue ?? []
}

/** The process at the server's end, as it greeted us. */
export function processIdOf(client: Client): number | null {
  return (client as unknown as { readonly processID: number | null }).processID
}

/** Whether its handshake is over. One that is still being connected is nobody's yet. */
export function isConnected(client: Client): boolean {
  return (client as unknown as { readonly _connected: boolean })._connected
}

/** What pg has under way on a client. A cursor or stream need not have these. */
interface ActiveQuery {
  readonly _result?: { readonly command: string | null }
  requiresPreparation?(): boolean
}

/**
 * Whether CommandComplete has come of the statement that is under way in the simple protocol, where the server commits
 * before it sends that. In the extended one it is Sync that commits.
 */
export function isCommittedByNow(client: Client): boolean {
  // Its name before pg 8.17, which newer ones warn of.
  const busy = client as unknown as Readonly<Record<'_activeQuery' | 'activeQuery', ActiveQuery | null | undefined>>
  const query = '_activeQuery' in client ? busy._activeQuery : busy.activeQuery
  return query?._result?.command != null && query.requiresPreparation?.() === false
}
