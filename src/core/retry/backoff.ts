/** Exponential backoff with full jitter on its upper half: between half of `base · 2^attempt`, capped, and all of it. */
export function backoffMillis(attempt: number, limits: { base: number; cap: number }, random: number): number {
  const full = Math.min(limits.cap, limits.base * 2 ** Math.min(attempt, 30))
  return full / 2 + (full / 2) * random
}
