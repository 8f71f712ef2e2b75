import { setTimeout as sleep } from 'node:timers/promises'

export interface PollOptions {
  /** What is awaited, for the error. */
  readonly what: string
  readonly intervalMillis?: number
  readonly timeoutMillis?: number
}

/**
 * Asks until the answer is neither `undefined` nor `false`.
 *
 * @throws Error naming `what` after `timeoutMillis` (60 s: only a wedged server takes that long).
 */
export async function poll<T>(
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  { what, intervalMillis = 5, timeoutMillis = 60_000 }: PollOptions,
): Promise<T> {
  const start = performance.now()
  for (;;) {
    const answer = await probe()
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() - start > timeoutMillis) throw new Error(`waited ${timeoutMillis} ms in vain: ${what}`)
    await sleep(intervalMillis)
  }
}
