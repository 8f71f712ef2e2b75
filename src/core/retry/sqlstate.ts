/** SQLSTATEs that decide something; names as in appendix A of the manual. */
export const sqlstate = {
  readOnlySqlTransaction: '25006',
  featureNotSupported: '0A000',
  objectNotInPrerequisiteState: '55000',
  internalError: 'XX000',
  tooManyConnections: '53300',
  queryCanceled: '57014',
  adminShutdown: '57P01',
  crashShutdown: '57P02',
  cannotConnectNow: '57P03',
  idleSessionTimeout: '57P05',
  inFailedSqlTransaction: '25P02',
  idleInTransactionSessionTimeout: '25P03',
  transactionTimeout: '25P04',
  serializationFailure: '40001',
  deadlockDetected: '40P01',
  lockNotAvailable: '55P03',
} as const

/** How a server that is a standby after all refuses a write: always cleanly, nothing was done. */
const refusedByStandby: ReadonlySet<string> = new Set([
  sqlstate.readOnlySqlTransaction,
  sqlstate.featureNotSupported,
  sqlstate.objectNotInPrerequisiteState,
  sqlstate.internalError,
])

/** Whether this answer from a host taken for the leader is a reason to ask that host for its role again. */
export function mayBeStandbyRefusal(code: string | undefined): boolean {
  return code !== undefined && refusedByStandby.has(code)
}

/** Whether a server that says this, as an error or as a notice, is about to end its sessions. */
export function announcesShutdown(code: string | undefined): boolean {
  return code === sqlstate.adminShutdown || code === sqlstate.crashShutdown || code === sqlstate.cannotConnectNow
}

/** With these a server ends the session that it says them to, though not in the same moment. */
const endingSession: ReadonlySet<string> = new Set([
  sqlstate.idleSessionTimeout,
  sqlstate.idleInTransactionSessionTimeout,
  sqlstate.transactionTimeout,
])

/**
 * Whether a session that was told this is as good as gone. A function may raise the same code and the session live on;
 * then a connection is given up in vain.
 */
export function announcesEnd(code: string | undefined): boolean {
  return announcesShutdown(code) || (code !== undefined && endingSession.has(code))
}

/**
 * Whether a failure to connect is about the caller (credentials, rights, the database's name) and not about the host:
 * trying again, here or elsewhere, would end the same way.
 */
export function isAboutCaller(code: string | undefined): boolean {
  return code !== undefined && (code.startsWith('28') || code === '3D000' || code === '42501')
}

/** SQLSTATE of an error that a server sent; errors of sockets and of pg itself have no severity. */
export function serverCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('severity' in error)) return undefined
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : undefined
}
