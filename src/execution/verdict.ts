import type { FailureFacts } from '../core/retry/decide'
import { announcesShutdown, mayBeStandbyRefusal, serverCode, sqlstate } from '../core/retry/sqlstate'
import { connectionOf } from '../client/pg-internals'
import type { Session } from '../pool/session'
import { after, limit } from '../runtime/timer'

/** How long a server that has announced the end of a session may take to end it. */
const endingMillis = 1000

/** What pg says when `query_timeout` is over; it has no code, and no server can say it. */
const readTimeout = 'Query read timeout'

/**
 * Gathers what is known of a statement that was sent and failed. After an announcement such as 57P01 the connection's
 * end is waited for: a function may raise the same code, and then ReadyForQuery follows instead.
 */
export async function gatherFacts(error: unknown, session: Session): Promise<Omit<FailureFacts, 'demoted'>> {
  const code = serverCode(error)
  const timedOut = isReadTimeout(error)
  // Once it has heard the announcement pg refuses everything, before the connection has ended.
  const announced =
    code === undefined ? session.announced : code === sqlstate.idleSessionTimeout || announcesShutdown(code)
  if (announced && !session.broken) await ended(session)
  return {
    sqlstate: code,
    fromPooler: isFromPooler(error),
    connectionLost: session.broken && !timedOut,
    warned: session.warned,
    committed: session.committed,
    timedOut,
  }
}

/**
 * The same, and whether the host still leads where the answer makes that doubtful: then it is asked again. The monitor that
 * asks does not keep the process alive; whoever waits for this call must.
 */
export async function gatherFailure(
  error: unknown,
  session: Session,
  port: { stillSuitable(session: Session): Promise<boolean> },
): Promise<FailureFacts> {
  const awake = after(Infinity, () => undefined, { ref: true })
  try {
    const facts = await gatherFacts(error, session)
    const refused = !facts.connectionLost && mayBeStandbyRefusal(facts.sqlstate)
    return { ...facts, demoted: refused && !(await port.stillSuitable(session)) }
  } finally {
    awake.cancel()
  }
}

/** Whether pg gave up waiting for an answer, by its option `query_timeout`. */
export function isReadTimeout(error: unknown): boolean {
  return serverCode(error) === undefined && (error as Error | null | undefined)?.message === readTimeout
}

/** The everyday error: the server said no to this statement, and nothing about itself. */
export function isPlainRefusal(error: unknown, session: Session): boolean {
  const code = serverCode(error)
  if (code === undefined || session.broken || (code.startsWith('08') && isFromPooler(error))) return false
  return (
    !announcesShutdown(code) &&
    !mayBeStandbyRefusal(code) &&
    code !== sqlstate.idleSessionTimeout &&
    code !== sqlstate.serializationFailure
  )
}

/** PostgreSQL names the routine that raised an error; a pooler that lost its server has none to name. */
function isFromPooler(error: unknown): boolean {
  return serverCode(error) !== undefined && (error as { routine?: unknown }).routine === undefined
}

/** Resolves when the connection has ended, or the server has shown that it goes on. */
function ended(session: Session): Promise<void> {
  const connection = connectionOf(session.client)
  return new Promise((resolve) => {
    const done = (): void => {
      timer.cancel()
      connection.removeListener('end', done)
      connection.removeListener('readyForQuery', done)
      resolve()
    }
    const timer = limit(endingMillis, done)
    connection.on('end', done)
    connection.on('readyForQuery', done)
  })
}
