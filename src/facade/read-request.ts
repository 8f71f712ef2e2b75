import { readAfter } from '../execution/after'
import { scopeNow } from '../execution/read-scope'
import type { StatementMarks } from '../execution/run-query'
import { textOf } from '../execution/text-of'
import { hasReadMark } from '../core/routing/read-mark'
import type { ReadRoute } from '../core/routing/read-route'
import { RouteCache } from '../core/routing/route-cache'
import type { Position } from '../core/selection/position'
import { UnsupportedStatementError } from '../errors'
import type { ConnInfoError } from '../errors'

/** One for all pools of the process: where a text goes is the same in each. */
const routes = new RouteCache()

/** Whether what somebody asks of a pool is a read: by its mark, by a comment in its text, or by the scope it is asked in. */
export function asksToRead(query: unknown): boolean {
  if (typeof query === 'string') return scopeNow() === 'reads' || hasReadMark(query)
  if (typeof query !== 'object' || query === null) return false
  const { readOnly, after, exactlyOnce } = query as StatementMarks
  if (readOnly !== undefined) return readOnly
  if (exactlyOnce === true) return false
  if (after !== undefined) return true
  return scopeNow() === 'reads' || hasReadMark(textOf(query) ?? '')
}

/** The position that a read has to see, if it has one; an error for what is none. */
export function afterOf(query: unknown): Position | ConnInfoError | undefined {
  return typeof query === 'object' && query !== null ? readAfter((query as StatementMarks).after) : undefined
}

/** Where a read belongs: what means something else on a standby goes to the leader. An error for what is not sent at all. */
export function readRoute(query: unknown): 'standby' | 'leader' | Error {
  const route = routeOf(query)
  return route instanceof Error ? route : route.to
}

/** Why something is not sent on a client that somebody holds to read; undefined if it is. */
export function whyNotHeld(query: unknown): Error | undefined {
  const route = routeOf(query)
  if (route instanceof Error) return route
  if (route.to !== 'leader' || route.ofSession) return undefined
  return new UnsupportedStatementError(
    `not sent on a client that reads: ${route.because}. It is one for the leader, and such a client stays where it is: ` +
      'use one of pool.connect(), outside of readOnly()',
  )
}

function routeOf(query: unknown): Exclude<ReadRoute, { to: 'nowhere' }> | Error {
  const after = afterOf(query)
  if (after instanceof Error) return after
  const route = routes.routeOf(textOf(query) ?? '')
  if (route.to !== 'nowhere') return route
  return new UnsupportedStatementError(
    `not sent as a read: ${route.because}. Sessions that read refuse to write, whatever the mark; leave the mark out`,
  )
}
