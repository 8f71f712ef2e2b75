import { isLostByPooler } from './decide'
import type { FailureFacts, Outcome } from './decide'
import { announcesShutdown, mayBeStandbyRefusal, sqlstate } from './sqlstate'

/** How a statement failed that was sent with a Flush before its Sync, and with a witness perhaps. */
export interface OnceFailure extends FailureFacts {
  /** It went out as we wanted it: with an instrumentation in between that need not be so. */
  readonly submitted: boolean
  /** Its CommandComplete has come: what is in doubt is the COMMIT alone. */
  readonly completed: boolean
  /** Its witness has come. */
  readonly witnessed: boolean
  /**
   * The end of the connection says that nothing came after what we have read: the server itself closed it, in good order,
   * or reset it on this very machine.
   */
  readonly conclusive: boolean
}

/** What follows. `reason` is for people. */
export type OnceDecision =
  | { readonly action: 'replay' | 'fail'; readonly outcome: Outcome; readonly reason: string }
  /** Only the leader knows. */
  | { readonly action: 'look-up' | 'unknown'; readonly reason: string }

/**
 * What to do about a statement that is to be executed exactly once. The server sends everything up to the Flush before
 * Sync lets it commit: as long as CommandComplete has not come, it has not. Rows are tried in this order.
 */
export function decideOnce(failure: OnceFailure): OnceDecision {
  const { sqlstate: code, connectionLost, completed } = failure
  if (failure.timedOut) return { action: 'fail', outcome: 'unknown', reason: 'query_timeout ran out' }
  const poolerLost = isLostByPooler(failure)
  if (code !== undefined && !connectionLost && !poolerLost) {
    if (mayBeStandbyRefusal(code) && failure.demoted) {
      return { action: 'replay', outcome: 'aborted', reason: `${code} from a host that is not the leader any more` }
    }
    return { action: 'fail', outcome: 'aborted', reason: 'the server refused the statement' }
  }
  if (!connectionLost && !poolerLost) {
    return { action: 'fail', outcome: 'not-executed', reason: 'the statement was not sent' }
  }
  if (code === sqlstate.idleSessionTimeout) {
    return { action: 'replay', outcome: 'not-executed', reason: 'the session had timed out before the statement came' }
  }
  if (code !== undefined && announcesShutdown(code) && !poolerLost && !failure.warned && !failure.committed) {
    return { action: 'replay', outcome: 'aborted', reason: 'the server ended the session instead of committing' }
  }
  if (!failure.submitted) return { action: 'unknown', reason: 'somebody in between sent it in another way' }
  if (!completed && failure.conclusive) {
    return { action: 'replay', outcome: 'aborted', reason: 'the connection ended before the statement did' }
  }
  const reason = completed
    ? 'the connection was lost before the COMMIT was answered'
    : 'the connection was lost, and with it perhaps what the server had said'
  return { action: failure.witnessed ? 'look-up' : 'unknown', reason }
}
