/** The value below which a share `p` of the values lies, by nearest rank: one that was really measured. NaN if there is none. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? Number.NaN
}

/** NaN if there is none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? Number.NaN
  return Number.isInteger(middle) ? (upper + (sorted[middle - 1] ?? Number.NaN)) / 2 : upper
}

/**
 * Where a statistic of these samples would lie in 95 of 100 repetitions of the run, by the bootstrap. Each sample is drawn
 * as a whole, so what was measured together stays together.
 */
export function interval95<T>(samples: readonly T[], statistic: (drawn: readonly T[]) => number): [number, number] {
  const drawn = Array.from({ length: 1000 }, () =>
    statistic(samples.map(() => samples[Math.floor(Math.random() * samples.length)]!)),
  )
  return [percentile(drawn, 0.025), percentile(drawn, 0.975)]
}

/** Fisher–Yates, in a copy. */
export function shuffled<T>(values: readonly T[]): T[] {
  const copy = [...values]
  for (let last = copy.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1))
    ;[copy[last], copy[other]] = [copy[other]!, copy[last]!]
  }
  return copy
}
