import type { Verdict } from '../core/outcome/judge'
import { decideCommit } from '../core/retry/decide-commit'
import { serverCode } from '../core/retry/sqlstate'
import { isCommit } from '../core/retry/statement'
import { OutcomeUnknownError, TransactionRolledBackError } from '../errors'
import { sendAhead } from '../client/pg-internals'
import { cutSocket } from '../pool/session'
import type { Session } from '../pool/session'
import { now } from '../runtime/clock'
import { watchForStalls } from '../runtime/heartbeat'
import { createLog } from '../runtime/log'
import { isConclusive } from './look-up'
import { answerTo, carriedBy } from './proof'
import type { Question } from './proof'
import type { TransactionPort } from './transaction'
import { gatherFacts, isReadTimeout } from './verdict'
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
  const config = typeof given === 'string' ? { text: given } : { ...(given as object) }
  const attempt = (
    question: Question | undefined,
    applies: () => boolean,
    go: (query: WitnessedQuery) => void,
  ): void => {
    const watch = watchForStalls()
    const sentAt = now()
    const query = createWitnessedQuery(
      session.client,
      { config, questions: question?.texts ?? [], flushAfter: 'witness', applies },
      (error, result) => {
        const stalled = watch.stalled()
        watch.end()
        if (!error) {
          if (wrote(question, query) === true) {
            port.proof.acknowledged.add(session, carriedBy(question, query), undefined)
          }
          return callback(null, result)
        }
        const instead = query.witnessRefused ? question?.retreat(serverCode(error)) : undefined
        if (instead !== undefined) {
          log('%s: COMMIT goes as it came: %s', session.host, (error as Error).message)
          return attempt(instead, always, (next) => sendAhead(session.client, () => send(next)))
        }
        // Nothing was added to it, or its turn never came: its error is the answer.
        if (!query.submitted && (query.taken || !applies() || isReadTimeout(error))) return callback(error)
        void unanswered(port, session, { question, query, error, sentAt, stalled }).then(
          (found) => process.nextTick(callback, null, found),
          (final: unknown) => process.nextTick(callback, final),
        )
      },
    )
    go(query)
  }
  const asked = port.proof.askAtCommit(session)
  attempt(asked, () => asked !== undefined && session.transactionStatus === 'T', send)
}

function always(): boolean {
  return true
}

/** Whether the transaction had written anything; undefined as long as its question is not answered. */
function wrote(question: Question | undefined, query: WitnessedQuery): boolean | undefined {
  const isTold = query.answered || query.witness !== undefined
  return isTold && question !== undefined ? question.wrote(answerTo(question, query)) : undefined
}

/** A COMMIT that failed. */
interface Failed {
  readonly question: Question | undefined
  readonly query: WitnessedQuery
  readonly error: unknown
  readonly sentAt: number
  readonly stalled: boolean
}

async function unanswered(port: TransactionPort, session: Session, failed: Failed): Promise<unknown> {
  const { question, query, error, sentAt, stalled } = failed
  const carried = carriedBy(question, query)
  const facts = await gatherFacts(error, session)
  const { submitted } = query
  // A COMMIT is committed before that is said, whatever the protocol.
  const completed = query.completed || facts.committed
  const conclusive = isConclusive(session)
  const decision = decideCommit({ ...facts, submitted, completed, wrote: wrote(question, query), conclusive })
  if (decision.action === 'fail') throw error
  // pg may have given it up because of what it read, and the server goes on.
  if (isReadTimeout(error) || session.broken) cutSocket(session.client)
  const found: Verdict =
    decision.action !== 'look-up'
      ? { outcome: decision.action, reason: decision.reason }
      : await port.proof.lookUp(port, session, { carried, witnessedAt: sentAt, stalled })
  log('COMMIT on %s went unanswered: %s, %s', session.host, found.outcome, found.reason)
  if (found.outcome === 'committed') {
    port.proof.acknowledged.add(session, carried, undefined)
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
