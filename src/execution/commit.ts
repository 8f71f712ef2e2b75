import type { Verdict } from '../core/outcome/judge'
import { decideCommit } from '../core/retry/decide-commit'
import { isCommit } from '../core/retry/statement'
import { OutcomeUnknownError, TransactionRolledBackError } from '../errors'
import { cutSocket } from '../pool/session'
import type { Session } from '../pool/session'
import { now } from '../runtime/clock'
import { watchForStalls } from '../runtime/heartbeat'
import { createLog } from '../runtime/log'
import { isConclusive, lookUpSession } from './look-up'
import type { TransactionPort } from './transaction'
import { gatherFacts, isReadTimeout } from './verdict'
import { commitQuestion, readFields } from './witness'
import { createWitnessedQuery } from './witnessed-query'
import type { WitnessedQuery } from './witnessed-query'

const log = createLog('execution')

type Callback = (error: unknown, result?: unknown) => void

/** What a COMMIT may come as, of all that pg's `client.query` takes. */
interface Given {
  readonly text?: unknown
  readonly values?: unknown
  readonly name?: unknown
  readonly rows?: unknown
  readonly callback?: unknown
  readonly submit?: unknown
}

/** Whether this is a COMMIT that can carry a witness. Asked of everything that is sent: it has to be quick. */
export function isWitnessable(query: unknown, values: unknown): boolean {
  if (typeof query === 'string') return (values === undefined || isEmpty(values)) && isCommit(query)
  if (typeof query !== 'object' || query === null) return false
  const { text, name, rows, callback, submit, values: own } = query as Given
  if (typeof text !== 'string' || (name ?? rows ?? callback ?? submit) !== undefined) return false
  return isEmpty(own) && isEmpty(values) && isCommit(text)
}

function isEmpty(values: unknown): boolean {
  return (
    values === undefined ||
    values === null ||
    typeof values === 'function' ||
    (Array.isArray(values) && values.length === 0)
  )
}

/**
 * Sends somebody's COMMIT with a witness, and looks up what became of it if its answer does not come. Calls back as pg does:
 * with the result, also where that had to be looked up, or with an error.
 */
export function commitWitnessed(
  port: TransactionPort,
  session: Session,
  given: unknown,
  send: (query: object) => void,
  callback: Callback,
): void {
  const watch = watchForStalls()
  const sentAt = now()
  const config = typeof given === 'string' ? { text: given } : { ...(given as object) }
  const applies = (): boolean => session.server !== undefined && session.transactionStatus === 'T' && !port.witnessless
  const query = createWitnessedQuery(
    session.client,
    { config, question: commitQuestion, flushAfter: 'witness', applies },
    (error, result) => {
      const stalled = watch.stalled()
      watch.end()
      if (!error) {
        if (query.witness !== undefined) port.acknowledged.add(session, readFields(session, query.witness), undefined)
        return callback(null, result)
      }
      // Nothing was added to it, or its turn never came: its error is the answer.
      if (!query.submitted && (query.taken || !applies() || isReadTimeout(error))) return callback(error)
      void unanswered(port, session, query, error, { witnessedAt: sentAt, stalled }).then(
        (found) => process.nextTick(callback, null, found),
        (final: unknown) => process.nextTick(callback, final),
      )
    },
  )
  send(query)
}

async function unanswered(
  port: TransactionPort,
  session: Session,
  query: WitnessedQuery,
  error: unknown,
  known: { readonly witnessedAt: number; readonly stalled: boolean },
): Promise<unknown> {
  const witness = query.witness && readFields(session, query.witness)
  const facts = await gatherFacts(error, session)
  const wrote = query.witness && witness !== undefined
  const { submitted, completed } = query
  // A COMMIT is committed before that is said, whatever the protocol.
  const committed = facts.committed || completed
  const decision = decideCommit({ ...facts, committed, submitted, wrote, conclusive: isConclusive(session) })
  if (decision.action === 'fail') throw error
  // pg may have given it up because of what it read, and the server goes on.
  if (isReadTimeout(error) || session.broken) cutSocket(session.client)
  const found: Verdict =
    decision.action === 'aborted'
      ? { outcome: 'aborted', reason: decision.reason }
      : await lookUpSession(port, session, { ...known, witness })
  log('COMMIT on %s went unanswered: %s, %s', session.host, found.outcome, found.reason)
  if (found.outcome === 'committed') {
    port.acknowledged.add(session, witness, undefined)
    return { command: 'COMMIT', rowCount: null, oid: null, rows: [], fields: [] }
  }
  if (found.outcome === 'aborted') {
    throw new TransactionRolledBackError(
      `COMMIT was sent to ${session.host} and the transaction was rolled back: ${found.reason}. Nothing of it is left`,
      { cause: error },
    )
  }
  port.story.unknown()
  throw new OutcomeUnknownError(
    `COMMIT was sent to ${session.host}, its answer did not come, and ${found.reason}: the transaction was committed or ` +
      'rolled back. Look for its effect before doing it once more',
    { cause: error },
  )
}
