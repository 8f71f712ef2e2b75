/** libpq's `target_session_attrs`: which kind of session a caller wants. */
export type TargetSessionAttrs = 'any' | 'read-write' | 'read-only' | 'primary' | 'standby' | 'prefer-standby'

/** The six values libpq knows, in the order of its manual. */
export const targetSessionAttrs: readonly TargetSessionAttrs[] = Object.freeze([
  'any',
  'read-write',
  'read-only',
  'primary',
  'standby',
  'prefer-standby',
])

/** What a session says of itself: `in_hot_standby` and `default_transaction_read_only`, as ParameterStatus or a query told them. */
export interface SessionRole {
  readonly inHotStandby: boolean
  readonly defaultTransactionReadOnly: boolean
}

/**
 * Judges a session by libpq's rule. `undefined` means it is what was wanted, anything else says in words why it is not.
 *
 * A hot standby reports `default_transaction_read_only` as off, so "read-write" needs both to be off: testing one of
 * them takes standbys for writable. `prefer-standby` is a wish about the walk over the hosts (a first pass with
 * `standby`), not about a session, so every session suits it.
 *
 * @example
 * ```ts
 * import { mismatch } from './target-session-attrs'
 * mismatch('read-write', { inHotStandby: true, defaultTransactionReadOnly: false }) // 'session is read-only'
 * ```
 */
export function mismatch(wanted: TargetSessionAttrs, role: SessionRole): string | undefined {
  const readOnly = role.inHotStandby || role.defaultTransactionReadOnly
  switch (wanted) {
    case 'any':
    case 'prefer-standby':
      return undefined
    case 'read-write':
      return readOnly ? 'session is read-only' : undefined
    case 'read-only':
      return readOnly ? undefined : 'session is not read-only'
    case 'primary':
      return role.inHotStandby ? 'server is in hot standby mode' : undefined
    case 'standby':
      return role.inHotStandby ? undefined : 'server is not in hot standby mode'
    default:
      return wanted satisfies never
  }
}
