import { isLostByPooler } from './decide'
import type { FailureFacts } from './decide'
import { sqlstate } from './sqlstate'

/** How a COMMIT of somebody else's failed that carried a witness. */
export interface CommitFailure extends Omit<FailureFacts, 'demoted'> {
  /** It went out with its witness: with an instrumentation in between that need not be so. */
  readonly submitted: boolean
  /** Whether its witness says that the transaction had written something; undefined if it has not come. */
  readonly wrote: boolean | undefined
  /** Its CommandComplete has come. */
  readonly completed: boolean
  /** The end of the connection says that nothing came after what we have read. */
  readonly conclusive: boolean
}

/** What follows. `reason` is for people. */
export interface CommitDecision {
  /** `fail`: the error is the answer. `committed`, `aborted`: it is known to be done, or undone. `look-up`: only the leader knows. */
  readonly action: 'fail' | 'committed' | 'aborted' | 'look-up'
  readonly reason: string
}

/** What to do about a COMMIT that failed. Rows are tried in this order, the first that fits decides. */
export function decideCommit(failure: CommitFailure): CommitDecision {
  const { sqlstate: code, connectionLost, timedOut } = failure
  // In the extended protocol a session may be ended between this and ReadyForQuery, with the same words as before it.
  if (failure.completed) return { action: 'committed', reason: 'the server said so before the connection was lost' }
  const poolerLost = isLostByPooler(failure)
  if (!connectionLost && !timedOut && !poolerLost) return { action: 'fail', reason: 'the server refused it' }
  if (failure.wrote === false) return { action: 'fail', reason: 'it had written nothing' }
  if (code === sqlstate.adminShutdown && !failure.warned && !failure.committed && !timedOut) {
    return { action: 'aborted', reason: 'the server ended the session instead of committing' }
  }
  // The server sends the witness before it looks at the COMMIT.
  if (failure.submitted && failure.wrote === undefined && failure.conclusive && !timedOut) {
    return { action: 'aborted', reason: 'the connection ended before the COMMIT was looked at' }
  }
  return { action: 'look-up', reason: 'the connection was lost before COMMIT was answered' }
}
