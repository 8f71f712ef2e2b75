import { isLostByPooler } from './decide'
import type { Outcome, FailureFacts } from './decide'
import { mayBeStandbyRefusal, sqlstate } from './sqlstate'

/** How a transaction failed that we began and are to end. */
export interface TransactionFailure extends FailureFacts {
  /** What was sent last: `begin`, a statement of the caller's function (or nothing, it threw), or `commit`. */
  readonly phase: 'begin' | 'body' | 'commit'
  readonly readOnly: boolean
}

/** What follows. `reason` is for people. */
export type TransactionDecision =
  | { readonly action: 'replay'; readonly outcome: Outcome; readonly backOff: boolean; readonly reason: string }
  | { readonly action: 'fail'; readonly outcome: Outcome; readonly reason: string }
  /** Only the leader knows. */
  | { readonly action: 'look-up'; readonly reason: string }

/**
 * What to do about a transaction that failed. Until COMMIT has been sent nothing can have been committed, whatever became
 * of the connection. Rows are tried in this order, the first that fits decides.
 */
export function decideTransaction(failure: TransactionFailure): TransactionDecision {
  const { sqlstate: code, connectionLost, phase } = failure
  const unsent = phase !== 'commit'
  if (failure.timedOut) {
    return unsent || failure.readOnly ? fail('query_timeout ran out') : lookUp('query_timeout ran out over COMMIT')
  }
  const poolerLost = isLostByPooler(failure)
  if (code !== undefined && !connectionLost && !poolerLost) {
    if (code === sqlstate.serializationFailure || code === sqlstate.deadlockDetected) {
      return replay(true, `${code}: it was in the way of another one`)
    }
    if (mayBeStandbyRefusal(code) && failure.demoted) {
      return replay(false, `${code} from a host that is not the leader any more`)
    }
    return fail('the server refused it')
  }
  if (code === sqlstate.idleInTransactionSessionTimeout || code === sqlstate.transactionTimeout) {
    return fail('it took longer than the server allows')
  }
  if (!connectionLost && !poolerLost) return fail('its function failed')
  if (unsent) return replay(false, 'the connection was lost before COMMIT was sent')
  if (failure.readOnly) return replay(false, 'the connection was lost, and it changed nothing')
  if (code === sqlstate.adminShutdown && !failure.warned && !failure.committed) {
    return replay(false, 'the server ended the session instead of committing')
  }
  return lookUp('the connection was lost before COMMIT was answered')
}

function replay(backOff: boolean, reason: string): TransactionDecision {
  return { action: 'replay', outcome: 'aborted', backOff, reason }
}

function fail(reason: string): TransactionDecision {
  return { action: 'fail', outcome: 'aborted', reason }
}

function lookUp(reason: string): TransactionDecision {
  return { action: 'look-up', reason }
}
