import type { Role } from './answers'
import type { Fault } from './fault'
import type { Authentication } from './greeting'
import type { Ledger } from './ledger'
import type { ReplayWaiters } from './replay'

/** What the sessions of one fake server share. */
export interface SessionHost {
  readonly role: Role
  readonly authentication: Authentication
  /** Whether ParameterStatus tells the role: servers before 14 and poolers do not. */
  readonly reportsRole: boolean
  /** How many rows a statement returns that returns any. */
  readonly rowCount: number
  readonly frozen: boolean
  readonly direct: boolean
  readonly ledger: Ledger
  readonly waiters: ReplayWaiters
  /** `pg_terminate_backend` of the session whose transaction has this id; whether there is one. */
  terminate(xid: string): boolean
  takeConnectionFault(): Fault | undefined
  takeStatementFault(text: string): Fault | undefined
  /** A statement of an application's has arrived. */
  received(text: string): void
}
