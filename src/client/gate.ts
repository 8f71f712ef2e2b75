import { putFault } from '../core/selection/fault'
import type { SessionRole } from '../core/selection/target-session-attrs'
import type { DataRowMessage, NoticeOrError, ParameterStatusMessage, RawConnection } from './pg-internals'
import { reportedRole } from './session-news'

/** Asked of servers before 14 and of poolers, which do not report the role. */
const roleQuery = "select pg_is_in_recovery(), current_setting('default_transaction_read_only')"

export interface GateKeeper {
  /** Asked when the session is ready, and once per recheck; says why it will not do. Absent: every session will do. */
  readonly accept: ((role: SessionRole) => string | undefined) | undefined
  /** The session will do. Called just before pg learns that it is ready. */
  opened(parameters: Map<string, string>): void
  /** It will not do. The gate stays closed: either it is shut now, or a recheck has the session judged again. */
  refused(reason: string): void
  failed(error: Error): void
}

export interface Gate {
  /** Nothing that this connection says is heard any more. */
  shut(): void
  /** Asks a refused session for its role again, which ends in `opened`, `refused` or `failed`. */
  recheck(): void
  /** Resolves when no authentication step of pg is under way; `undefined` if none is. */
  busy(): Promise<unknown> | undefined
}

/**
 * Stands between a connection and pg's listeners on it until the session has been accepted. pg sends queued queries from
 * inside its ReadyForQuery handler, so the first one is held back until the role has been judged; and what a
 * connection that lost says (notices, errors, its end) is not for the user's ears, since another host follows.
 * Once open, `emit` is the ordinary one again.
 */
export function placeGate(connection: RawConnection, keeper: GateKeeper): Gate {
  const parameters = new Map<string, string>()
  const notices: unknown[] = []
  let phase: 'starting' | 'asking' | 'refused' | 'rechecking' | 'done' = 'starting'
  let ready: unknown
  let answer: SessionRole | undefined
  let authenticating: Promise<unknown> | undefined

  const pass = (event: string | symbol, ...args: unknown[]): boolean =>
    (Object.getPrototypeOf(connection) as RawConnection).emit.apply(connection, [event, ...args])

  function open(): void {
    phase = 'done'
    // Assigned and not deleted: deleting makes the object a slow one.
    connection.emit = (Object.getPrototypeOf(connection) as RawConnection).emit
    keeper.opened(parameters)
    for (const notice of notices) connection.emit('notice', notice)
    connection.emit('readyForQuery', ready)
  }

  function judge(role: SessionRole): void {
    const reason = keeper.accept?.(role)
    // Whoever was asked may have ended the attempt.
    if (phase === 'done') return
    if (reason === undefined) return open()
    phase = 'refused'
    keeper.refused(reason)
  }

  function ask(): void {
    phase = 'asking'
    answer = undefined
    connection.query(roleQuery)
  }

  function whenReady(message: unknown): void {
    if (phase === 'asking') {
      if (answer === undefined) keeper.failed(putFault(new Error('the server did not tell its role'), 'host'))
      else judge(answer)
      return
    }
    ready = message
    if (keeper.accept === undefined) return open()
    const role = reportedRole(parameters)
    if (role !== undefined) return judge(role)
    ask()
  }

  /**
   * pg computes its SCRAM proof in a worker thread and then sends it on whatever connection the client has *by then*.
   * So the promise its listener returns is kept, and no other host is dialled before it has settled.
   */
  function authenticate(event: string, args: unknown[]): boolean {
    const steps = connection.listeners(event).map((listener) => Reflect.apply(listener, connection, args) as unknown)
    const step = Promise.allSettled(steps).then(() => {
      if (authenticating === step) authenticating = undefined
    })
    authenticating = step
    return steps.length > 0
  }

  connection.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    switch (event) {
      case 'readyForQuery':
        whenReady(args[0])
        return true
      case 'errorMessage': {
        const error = args[0] as NoticeOrError
        // Every error of a PostgreSQL server has a code; this one is pg's, of bytes that no such server sends.
        keeper.failed(error.code === undefined ? putFault(error, 'host') : error)
        return true
      }
      case 'error':
        keeper.failed(args[0] as Error)
        return true
      case 'end':
        // pg's own words for a connection that closed without a reason.
        keeper.failed(new Error('Connection terminated unexpectedly'))
        return true
      case 'notice':
        notices.push(args[0])
        return true
      case 'authenticationSASLContinue':
        return authenticate(event, args)
      case 'parameterStatus': {
        const { parameterName, parameterValue } = args[0] as ParameterStatusMessage
        parameters.set(parameterName, parameterValue)
        return pass(event, ...args)
      }
      case 'rowDescription':
      case 'commandComplete':
        return phase === 'asking' || pass(event, ...args)
      case 'dataRow': {
        if (phase !== 'asking') return pass(event, ...args)
        const [recovery, readOnly] = (args[0] as DataRowMessage).fields
        answer = { inHotStandby: recovery === 't', defaultTransactionReadOnly: readOnly === 'on' }
        return true
      }
      default:
        return pass(event, ...args)
    }
  }

  return {
    shut() {
      phase = 'done'
      connection.emit = () => false
    },
    recheck() {
      if (phase !== 'refused') return
      if (reportedRole(parameters) === undefined) ask()
      else {
        // A server that reports its role reports the change with its next reply, whatever that answers.
        phase = 'rechecking'
        connection.sync()
      }
    },
    busy: () => authenticating,
  }
}
