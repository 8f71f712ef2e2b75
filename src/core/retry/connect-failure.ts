import { faultOf } from '../selection/fault'
import { announcesEnd, isAboutCaller, serverCode, sqlstate } from './sqlstate'

/** What pg itself says, without any code, of a connection that could not be made or was lost. */
const connectionWords: ReadonlySet<string> = new Set([
  'Connection terminated',
  'Connection terminated unexpectedly',
  'Connection terminated due to connection timeout',
  'Client has encountered a connection error and is not queryable',
  'timeout expired',
  'timeout exceeded when trying to connect',
  'The server does not support SSL connections',
  'There was an error establishing an SSL connection',
])

/** What pg, or the socket, says to whoever used a connection that was lost. */
const lossWords: ReadonlySet<string> = new Set([
  'Connection terminated',
  'Connection terminated unexpectedly',
  'Client has encountered a connection error and is not queryable',
])
const closedByPeer: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE'])
const lossCodes: ReadonlySet<string> = new Set([...closedByPeer, 'ETIMEDOUT'])

/**
 * Whether an error says that a connection was lost that had been made already: of what a hook of pg-pool's threw, such as
 * `onConnect`, all else is the hook's own.
 */
export function saysConnectionWasLost(error: { readonly message?: unknown; readonly code?: unknown }): boolean {
  const { message, code } = error
  if (typeof code === 'string') return lossCodes.has(code) || announcesEnd(serverCode(error))
  return typeof message === 'string' && lossWords.has(message)
}

/** Whether a socket's error says that the other side closed it, and not that it is not heard any more. */
export function saysPeerClosed(error: { readonly message?: unknown; readonly code?: unknown }): boolean {
  return typeof error.code === 'string' && closedByPeer.has(error.code)
}

/**
 * Whether a failure to connect says that no server is at work there: nobody listens, or a postmaster that lets nobody in.
 */
export function refusalOf(error: unknown): 'nobody' | 'postmaster' | undefined {
  if (serverCode(error) === sqlstate.cannotConnectNow) return 'postmaster'
  const { code, syscall } = (error ?? {}) as { readonly code?: unknown; readonly syscall?: unknown }
  // The second: the Unix socket is gone.
  return code === 'ECONNREFUSED' || (code === 'ENOENT' && syscall === 'connect') ? 'nobody' : undefined
}

/** How pg begins when what comes is no message that it waits for, or none at all: no PostgreSQL server is there. */
const protocolConfusion = ['Received unexpected ', 'received invalid response']

/** How pg begins when a server's part in a SCRAM exchange is wrong: it does not know the password, or speaks nonsense. */
const serverFailsScram = ['SASL: SCRAM-SERVER-', 'SASL: Mechanism SCRAM-SHA-256-PLUS requires a certificate']
/** The same, but it is the caller's part that is missing. */
const callerFailsScram = 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must '

/**
 * Whether a failure to connect is about the caller and not about the host. Of a server's errors its SQLSTATE tells; the
 * errors of sockets, names and TLS have a code of their own. What has neither, and is not one of pg's sentences about
 * connections, comes from this side: a password function that throws, a password that is no string.
 */
export function connectFailureIsAboutCaller(error: { readonly message?: unknown; readonly code?: unknown }): boolean {
  const fault = faultOf(error)
  if (fault !== undefined) return fault === 'caller'
  if (typeof error.code === 'string') return isAboutCaller(error.code)
  const { message } = error
  if (typeof message !== 'string' || connectionWords.has(message)) return false
  if (message.startsWith(callerFailsScram)) return true
  return ![...protocolConfusion, ...serverFailsScram].some((beginning) => message.startsWith(beginning))
}
