/** Milliseconds of the monotonic clock: what every event and every deadline is measured in. */
export function now(): number {
  return performance.now()
}

/** Milliseconds of the clock on the wall. It may be set, but unlike the other it goes on while a machine is suspended. */
export function wallClock(): number {
  return Date.now()
}
