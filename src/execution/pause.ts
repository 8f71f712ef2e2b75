import { backoffMillis } from '../core/retry/backoff'
import { random } from '../runtime/random'
import { after } from '../runtime/timer'

/** Waits before the next attempt at something that a caller waits for: longer after each, in milliseconds. */
export function pause(attempt: number, limits = { base: 10, cap: 500 }): Promise<void> {
  const millis = backoffMillis(attempt, limits, random())
  return new Promise((resolve) => void after(millis, resolve, { ref: true }))
}
