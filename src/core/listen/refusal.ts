import { mayBeStandbyRefusal } from '../retry/sqlstate'

/** Trouble of the server's, or of the way to it. */
const troubles: ReadonlySet<string> = new Set(['08', '53', '57', '58', 'XX'])

/**
 * Whether a server that answers LISTEN with this error will have nothing else to say the next time: a name that its
 * encoding has no characters for, a product that does not know the statement.
 */
export function isRefusedForGood(code: string): boolean {
  return !mayBeStandbyRefusal(code) && !troubles.has(code.slice(0, 2))
}
