import type { QueryConfig } from 'pg'

/** A statement of which pg has to know no more than its text and its values: all else that it carries is ours. */
export type MarkedText = Pick<QueryConfig, 'text' | 'values'>

const known = new Set(['text', 'values', 'readOnly', 'after', 'idempotent', 'exactlyOnce', 'tag', 'signal'])

/**
 * Whether a query is such a statement: then its text and values are handed to pg, which copies an object property by property,
 * and takes longer for that than we do for all else together.
 */
export function isMarkedText(query: unknown): query is MarkedText {
  if (typeof query !== 'object' || query === null || Object.getPrototypeOf(query) !== Object.prototype) return false
  // Also what is hidden from enumeration: pg would see it.
  for (const name of Object.getOwnPropertyNames(query)) if (!known.has(name)) return false
  const { text, values } = query as Partial<Record<keyof MarkedText, unknown>>
  // pg would call a function back, if it were given beside the text.
  return typeof text === 'string' && typeof values !== 'function'
}
