import { formatLsn, parseLsn } from '../outcome/lsn'

/** A point of a history: what a server on this timeline has written, or replayed, up to here. */
export interface Position {
  readonly timeline: number
  readonly lsn: bigint
}

/** What a position is written as, for a cookie or another process: `timeline/LSN`. */
export function formatPosition({ timeline, lsn }: Position): string {
  return `${timeline}/${formatLsn(lsn)}`
}

/** Reads what {@link formatPosition} has written; undefined for anything else. */
export function parsePosition(token: string): Position | undefined {
  const [, digits, rest] = /^([1-9][0-9]{0,9})\/([0-9A-Fa-f]{1,8}\/[0-9A-Fa-f]{1,8})$/.exec(token) ?? []
  const lsn = parseLsn(rest)
  return digits === undefined || lsn === undefined ? undefined : { timeline: Number(digits), lsn }
}

/**
 * Whether who has come as far as `reached` has seen all that was written up to `wanted`. On another timeline a position says
 * nothing: history has forked in between, before it or after it.
 */
export function covers(reached: Position | undefined, wanted: Position): boolean {
  return reached !== undefined && reached.timeline === wanted.timeline && reached.lsn >= wanted.lsn
}

/** The later of two points; on two timelines the one on the newer, which is where the history went on that is ours. */
export function later(a: Position | undefined, b: Position | undefined): Position | undefined {
  if (a === undefined || b === undefined) return a ?? b
  if (a.timeline !== b.timeline) return a.timeline > b.timeline ? a : b
  return a.lsn >= b.lsn ? a : b
}
