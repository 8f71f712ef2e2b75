import { kinds, protocols } from './statements'
import type { Kind, Protocol } from './statements'

/** What becomes of each kind of statement, and how often it is sent; the protocol makes no difference. */
export type Fate = Readonly<Record<Kind, string>>

export const sentAgain = {
  write: 'INSERT 1, sent 2×',
  'readOnly read': 'SELECT 1, sent 2×',
  'idempotent write': 'INSERT 1, sent 2×',
} as const
const unknown = 'OutcomeUnknownError unknown, sent 1×'

/** It was aborted, or never executed: whatever can be sent twice is. */
export const aborted: Fate = { ...sentAgain, 'idempotent CALL': unknown }
/** Nobody can tell: only what the caller declared is sent again. */
export const lost: Fate = { ...sentAgain, write: unknown, 'idempotent CALL': unknown }
/** Nothing was executed at all. */
export const notExecuted: Fate = { ...sentAgain, 'idempotent CALL': 'CALL 0, sent 2×' }
/** It has its answer. */
export const answered: Fate = {
  write: 'INSERT 1, sent 1×',
  'readOnly read': 'SELECT 1, sent 1×',
  'idempotent write': 'INSERT 1, sent 1×',
  'idempotent CALL': 'CALL 0, sent 1×',
}

/** The answer is an error, whatever the kind. */
export function refused(error: string): Fate {
  const outcome = `${error}, sent 1×`
  return { write: outcome, 'readOnly read': outcome, 'idempotent write': outcome, 'idempotent CALL': outcome }
}

/** The same fate by every protocol. */
export function fateOf(fate: Fate): Record<Kind, Record<Protocol, string>> {
  const byProtocol = (outcome: string) =>
    Object.fromEntries(Object.keys(protocols).map((protocol) => [protocol, outcome])) as Record<Protocol, string>
  return Object.fromEntries(Object.keys(kinds).map((kind) => [kind, byProtocol(fate[kind as Kind])])) as Record<
    Kind,
    Record<Protocol, string>
  >
}
