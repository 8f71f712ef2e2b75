/** The one source of chance: a number from 0 up to, but not including, 1. */
export function random(): number {
  return Math.random()
}
