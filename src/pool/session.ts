import type { Client } from 'pg'
import type { HostKey } from '../core/topology/host'
import { connectionOf, isCommittedByNow, isEnding } from '../client/pg-internals'
import type { ReadyForQueryMessage } from '../client/pg-internals'
import type { SessionNews } from '../client/session-news'
import type { Incarnation } from '../core/outcome/incarnation'
import type { Position } from '../core/selection/position'
import { saysPeerClosed } from '../core/retry/connect-failure'
import { announcesEnd, announcesShutdown, serverCode, sqlstate } from '../core/retry/sqlstate'

export type { Client, PoolClient } from 'pg'

/** A physical connection of a pool, and what is known of it. */
export interface Session {
  readonly client: Client
  readonly host: HostKey
  /** The topology's generation when it was dialled. */
  readonly generation: number
  /** When it was connected. */
  readonly begunAt: number
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
  /** The server ended it when its last statement had been committed already, and only ReadyForQuery was missing. */
  committed: boolean
  /** We have cut it: the other side may know nothing of that. */
  cut: boolean
  /** When it was seen to end, and how. */
  loss: { readonly at: number; readonly how: Loss } | undefined
  /** The last error that the server sent; of a transaction that has failed the one that it failed with. */
  lastError: unknown
  /** What its server is, once a transaction has had it told. */
  server: ServerIdentity | undefined
  /** `I`, `T` or `E`, as the last ReadyForQuery had it; null before the first one, undefined where nobody has it kept. */
  transactionStatus: string | null | undefined
  /** `pool.transaction` has it, and its own way to commit. */
  ownTransaction: boolean
  /** One statement of a pool's has it, which may be sent to another host; nobody holds it beyond that. */
  onStatement: boolean
  /** The application has it, from `connect` until it releases it. */
  held: boolean
  /** It is one that reads, and refuses to write wherever it is. */
  reads: boolean
  /** Where a position after COMMIT is wanted: what it is committed at, once that is known. */
  commit: { at: Position | undefined } | undefined
}

/** The other side closed it in good order or reset it; or we cut it, or the network gave up. */
export type Loss = 'end of file' | 'reset' | 'cut'

/** What a session knows of the server process at its other end. */
export interface ServerIdentity {
  readonly incarnation: Incarnation
  /** The server sees the very address and port that our socket has: nothing stands between. */
  readonly direct: boolean
  /** It runs on this machine: a Unix socket, or the loopback interface. */
  readonly local: boolean
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
    committed: false,
    cut: false,
    loss: undefined,
    lastError: undefined,
    server: undefined,
    transactionStatus: undefined,
    ownTransaction: false,
    onStatement: false,
    held: false,
    reads: false,
    commit: undefined,
    suitedIn: undefined,
  }
  const session: Session = { client, host, generation, begunAt: at, usedAt: at, ...flags }
  Object.defineProperty(client, key, { value: session, configurable: true })
  return session
}

/**
 * Has the transaction status of a session kept from now on. pg tells it from 8.21 on only; and where no transaction is begun
 * by us, nobody wants to know it.
 */
export function keepTransactionStatus(session: Session): void {
  if (session.transactionStatus !== undefined) return
  session.transactionStatus = null
  // Before pg hears of it, calls whoever waits back, and sends what is next in its queue.
  connectionOf(session.client).prependListener('readyForQuery', ({ status }: ReadyForQueryMessage) => {
    session.transactionStatus = status
  })
}

/** The session of a client that was dialled here; undefined for one that was connected before we came. */
export function sessionOf(client: Client): Session | undefined {
  return (client as { readonly [key]?: Session })[key]
}

/** The session of a client that has one. */
export function sessionBegun(client: Client): Session {
  const session = sessionOf(client)
  if (session === undefined) throw new Error('this client was not connected by its pool')
  return session
}

/** Notes on a session what it has told of itself. */
export function noteNews(session: Session, news: SessionNews, at: number): void {
  switch (news.type) {
    case 'role':
      break
    case 'notice':
      if (!announcesShutdown(news.sqlstate)) break
      session.warned = true
      session.announced = true
      break
    case 'error': {
      const code = serverCode(news.error)
      if (code === undefined) noteLoss(session, at, saysPeerClosed(news.error) ? 'reset' : 'cut')
      // Its socket may live for another moment: released meanwhile, it must not come to rest among the idle.
      else if (announcesEnd(code)) {
        session.announced = true
        session.committed = isCommittedByNow(session.client)
      }
      if (code !== undefined && code !== sqlstate.inFailedSqlTransaction) session.lastError = news.error
      break
    }
    case 'end':
      noteLoss(session, at, isEnding(session.client) ? 'cut' : 'end of file')
      break
    default:
      news satisfies never
  }
}

function noteLoss(session: Session, at: number, how: Loss): void {
  session.broken = true
  session.loss ??= { at, how: session.cut ? 'cut' : how }
}

/** Cuts a connection without waiting for a server that may be frozen; what runs on it fails at once. */
export function cutSocket(client: Client): void {
  const session = sessionOf(client)
  if (session !== undefined) session.cut = true
  connectionOf(client).stream.destroy()
}
