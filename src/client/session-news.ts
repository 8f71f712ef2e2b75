import type { SessionRole } from '../core/selection/target-session-attrs'
import type { NoticeOrError, ParameterStatusMessage, RawConnection } from './pg-internals'

/**
 * What a connected session tells without being asked. `role` comes when ParameterStatus changes it (PostgreSQL 14 and
 * later, with the next reply of any kind), `notice` and `error` carry what the server said and what the socket said,
 * `end` comes once, last.
 */
export type SessionNews =
  | { readonly type: 'role'; readonly role: SessionRole }
  | { readonly type: 'notice'; readonly sqlstate: string | undefined }
  | { readonly type: 'error'; readonly error: Error }
  | { readonly type: 'end' }

const inHotStandby = 'in_hot_standby'
const defaultTransactionReadOnly = 'default_transaction_read_only'

/** The role a session reported so far; `undefined` before PostgreSQL 14 and behind poolers that pass neither on. */
export function reportedRole(parameters: ReadonlyMap<string, string>): SessionRole | undefined {
  const standby = parameters.get(inHotStandby)
  if (standby === undefined) return undefined
  return {
    inHotStandby: standby === 'on',
    defaultTransactionReadOnly: parameters.get(defaultTransactionReadOnly) === 'on',
  }
}

/**
 * Tells `observe` of everything that happens to a connection from now on, before pg and the user hear of it: whoever
 * reacts to a failure finds the news already told. Plain listeners on rare events, so a query and its rows cost nothing.
 */
export function observeSession(
  connection: RawConnection,
  parameters: Map<string, string>,
  observe: (news: SessionNews) => void,
): void {
  connection.prependListener('parameterStatus', ({ parameterName, parameterValue }: ParameterStatusMessage) => {
    if (parameterName !== inHotStandby && parameterName !== defaultTransactionReadOnly) return
    parameters.set(parameterName, parameterValue)
    const role = reportedRole(parameters)
    if (role !== undefined) observe({ type: 'role', role })
  })
  connection.prependListener('notice', (notice: NoticeOrError) => observe({ type: 'notice', sqlstate: notice.code }))
  connection.prependListener('errorMessage', (error: Error) => observe({ type: 'error', error }))
  connection.prependListener('error', (error: Error) => observe({ type: 'error', error }))
  connection.prependOnceListener('end', () => observe({ type: 'end' }))
}
