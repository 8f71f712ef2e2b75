import { sqlstate, mayBeStandbyRefusal } from './sqlstate'

/** What became of a statement. */
export type Outcome = 'not-executed' | 'aborted' | 'committed' | 'unknown'

/** What the caller declared of the statement, and what its text allows. */
export interface StatementFacts {
  /** One statement of the allow-list: it can be sent again as it is. */
  readonly replayable: boolean
  /** Marked: changes nothing. */
  readonly readOnly: boolean
  /** Marked: executing it twice is the same as once. */
  readonly idempotent: boolean
}

/** How a statement that was sent came to fail. */
export interface FailureFacts {
  /** SQLSTATE of the server's ErrorResponse; undefined if none came. */
  readonly sqlstate: string | undefined
  /** The error says nothing of where in the server it was raised: a pooler made it. */
  readonly fromPooler: boolean
  /** The server or the network ended the connection, or we cut it. */
  readonly connectionLost: boolean
  /** A notice announced a shutdown first: what follows it proves nothing. */
  readonly warned: boolean
  /** CommandComplete of a statement that is committed before that is sent had come, as it is in the simple protocol. */
  readonly committed: boolean
  /** `query_timeout` ran out on our side. */
  readonly timedOut: boolean
  /** After a refusal as standbys give it: the host was asked again and is not the leader any more. */
  readonly demoted: boolean
}

/** A pooler says that it, or the protocol, has lost the server: that is no verdict of a server's. */
export function isLostByPooler({ fromPooler, sqlstate: code }: Pick<FailureFacts, 'fromPooler' | 'sqlstate'>): boolean {
  return fromPooler && code?.startsWith('08') === true
}

/** What follows from a failure. `reason` is for people: debug lines and events. */
export type Decision =
  | { readonly action: 'replay'; readonly outcome: Outcome; readonly reason: string }
  | { readonly action: 'fail'; readonly outcome: Outcome; readonly reason: string }
  | { readonly action: 'unknown'; readonly reason: string }

/**
 * The replay table: what to do about a statement that was sent in autocommit and failed. Rows are tried in this order,
 * the first that fits decides.
 */
export function decideRetry(statement: StatementFacts, failure: FailureFacts): Decision {
  const { sqlstate: code, connectionLost } = failure
  if (failure.timedOut) return { action: 'fail', outcome: 'unknown', reason: 'query_timeout ran out' }

  if (isLostByPooler(failure)) return lost(statement, 'a pooler or the protocol lost the server')
  if (code !== undefined && !connectionLost) {
    if (mayBeStandbyRefusal(code) && failure.demoted) {
      return replayOr(statement, 'aborted', `${code} from a host that is not the leader any more`)
    }
    if (code === sqlstate.serializationFailure && statement.readOnly) {
      return replayOr(statement, 'aborted', 'a read that conflicted with recovery')
    }
    return { action: 'fail', outcome: 'aborted', reason: 'the server refused the statement' }
  }
  if (code === sqlstate.idleSessionTimeout) {
    return { action: 'replay', outcome: 'not-executed', reason: 'the session had timed out before the statement came' }
  }
  if (code === sqlstate.adminShutdown && !failure.warned && !failure.committed) {
    if (!statement.replayable)
      return { action: 'unknown', reason: 'it may have committed inside before its session was ended' }
    return { action: 'replay', outcome: 'aborted', reason: 'the server ended the session instead of executing it' }
  }
  if (!connectionLost) return { action: 'fail', outcome: 'not-executed', reason: 'the statement was not sent' }
  return lost(statement, 'the connection was lost before the server answered')
}

/** No verdict of the server's: only what the caller declared makes a second execution harmless. */
function lost(statement: StatementFacts, reason: string): Decision {
  if ((statement.readOnly || statement.idempotent) && statement.replayable) {
    const declared = statement.readOnly ? 'readOnly' : 'idempotent'
    return { action: 'replay', outcome: 'unknown', reason: `${reason}; the caller declared it ${declared}` }
  }
  return { action: 'unknown', reason }
}

function replayOr(statement: StatementFacts, outcome: Outcome, reason: string): Decision {
  return statement.replayable
    ? { action: 'replay', outcome, reason }
    : { action: 'fail', outcome: 'unknown', reason: `${reason}; it may have committed inside before that` }
}
