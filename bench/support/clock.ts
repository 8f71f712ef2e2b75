/**
 * Milliseconds of the machine's monotonic clock. It is one clock for all processes of a machine, and nobody sets it: what
 * one process saw can be compared with what another one saw.
 */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
