import { backoffMillis } from '../core/retry/backoff'
import { random } from '../runtime/random'
import { sleep } from '../runtime/timer'

/** Waits before the next attempt at something that a caller waits for: longer after each, in milliseconds. */
export function pause(attempt: number, limits = { base: 10, cap: 500 }): Promise<void> {
  return sleep(backoffMillis(attempt, limits, random()))
}
