import { show } from '../client/conninfo/option-value'
import { parsePosition } from '../core/selection/position'
import type { Position } from '../core/selection/position'
import { ConnInfoError } from '../errors'

/** The position that `after` says has to be seen, undefined if it says nothing; an error for what is none. */
export function readAfter(after: unknown): Position | ConnInfoError | undefined {
  if (after === undefined) return undefined
  const position = typeof after === 'string' ? parsePosition(after) : undefined
  return position ?? new ConnInfoError(`after must be a position as pool.position() gives it, not ${show(after)}`)
}
