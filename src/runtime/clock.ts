/** Milliseconds of the monotonic clock: what every event and every deadline is measured in. */
export function now(): number {
  return performance.now()
}
