import { randomUUID } from 'node:crypto'

/** The one source of chance: a number from 0 up to, but not including, 1. */
export function random(): number {
  return Math.random()
}

/** A name that nobody else has given to anything. */
export function uniqueId(): string {
  return randomUUID()
}
