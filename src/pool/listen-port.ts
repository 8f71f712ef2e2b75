import type { Client } from 'pg'

/** What the session that listens needs of its pool. */
export interface ListenPort {
  /** There is a host to go to now. `changed` says when that may be so. */
  ready(): boolean
  /** A client that connects there. */
  createClient(): Client
  /** How long it may take to connect, in milliseconds; Infinity: the client has a limit of its own. */
  readonly connectMillis: number
  /** How long the server may take to answer LISTEN. */
  readonly answerMillis: number
  /** How often an idle session is asked for a sign of life, and how long that may take. */
  readonly alive: { readonly intervalMillis: number; readonly timeoutMillis: number }
  /** Whether it would be no use to whoever waits for a first answer if we tried again. */
  isFinal(error: unknown): boolean
  /** How long a caller waits at most for a subscription to begin; Infinity: as long as an attempt takes. */
  readonly holdMillis: number
  /** The error of a caller who has waited for so long. `cause`: what the last attempt failed with. */
  expired(waitedMillis: number, cause: Error | undefined): Error
}
