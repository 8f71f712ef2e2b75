import type { Report } from '../../support/backend'
import { errorResponse, noticeResponse } from '../../support/backend'

/** Where in the conversation something may happen: a message that the server sends, or one that it has received. */
export type Point = Received | Sent
type Received = 'connection' | 'sslRequest' | 'startup' | 'password' | 'statement' | 'copyReceived' | 'sync'
type Sent =
  | 'sslAnswer'
  | 'authenticationRequest'
  | 'saslContinue'
  | 'saslFinal'
  | 'authenticationOk'
  | 'parameterStatus'
  | 'backendKeyData'
  | 'parseComplete'
  | 'bindComplete'
  | 'closeComplete'
  | 'rowDescription'
  | 'noData'
  | 'dataRow'
  | 'portalSuspended'
  | 'copyResponse'
  | 'copyData'
  | 'copyDone'
  | 'commandComplete'
  | 'emptyQueryResponse'
  | 'readyForQuery'

/** What a fault may do to a connection. */
export interface Line {
  /** Sends these bytes, whatever they are. */
  write(bytes: Buffer): void
  /** An orderly end: everything that was written arrives, then EOF. */
  end(): void
  /** Everything that was written arrives, then a reset. */
  reset(): void
  /** Stays connected and neither hears nor says anything any more. */
  hush(): void
  /** Fails the present statement with an ERROR, after which the session goes on as the protocol says. */
  raise(report: Report): void
}

export type Action = (line: Line) => void

export type Place = 'before' | 'within' | 'after'

/** Something that happens once, at a point of the conversation. */
export interface Fault {
  readonly point: Point
  /** `within`: the first half of the message is sent before. */
  readonly place: Place
  readonly actions: readonly Action[]
}

export const before = (point: Point, ...actions: readonly Action[]): Fault => ({ point, place: 'before', actions })
export const within = (point: Sent, ...actions: readonly Action[]): Fault => ({ point, place: 'within', actions })
export const after = (point: Point, ...actions: readonly Action[]): Fault => ({ point, place: 'after', actions })

export const end: Action = (line) => line.end()
export const reset: Action = (line) => line.reset()
export const silence: Action = (line) => line.hush()

/** The server refuses the statement. */
export const error =
  (code: string): Action =>
  (line) =>
    line.raise({ severity: 'ERROR', code, routine: 'aFunction' })

/** A pooler reports that its server is lost: an ERROR of its own making. */
export const poolerError =
  (code: string): Action =>
  (line) =>
    line.raise({ severity: 'ERROR', code })

/** The server's last word. Nothing ends by it alone. */
export const fatal =
  (code: string): Action =>
  (line) =>
    line.write(errorResponse({ severity: 'FATAL', code, routine: 'ProcessInterrupts' }))

export const notice =
  (code: string): Action =>
  (line) =>
    line.write(noticeResponse({ severity: 'WARNING', code, routine: 'quickdie' }))

export const bytes =
  (content: Buffer | string): Action =>
  (line) =>
    line.write(Buffer.from(content as string))
