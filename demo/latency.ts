import { GRAIN_MILLIS } from './strip'
import type { Slice } from './strip'

/** Remembers how long requests took, by the time at which they were issued. Times are those of `performance.now()`. */
export class Latency {
  readonly #start: number
  readonly #worst: number[] = []
  /** In the order of their issue: the first has waited longest. */
  readonly #waiting = new Map<number, number>()
  #answers: { readonly at: number; readonly millis: number }[] = []
  #longestMillis = 0

  constructor(start: number) {
    this.#start = start
  }

  /** Of the whole run; who still waits counts with the time waited so far. */
  longestMillis(at: number): number {
    return Math.max(this.#longestMillis, this.#oldestMillis(at))
  }

  issued(id: number, at: number): void {
    this.#waiting.set(id, at)
  }

  answered(id: number, at: number): void {
    const issuedAt = this.#waiting.get(id)
    if (issuedAt === undefined) return
    this.#waiting.delete(id)
    const millis = at - issuedAt
    const index = Math.floor(Math.max(0, issuedAt - this.#start) / GRAIN_MILLIS)
    this.#worst[index] = Math.max(this.#worst[index] ?? 0, millis)
    this.#longestMillis = Math.max(this.#longestMillis, millis)
    this.#answers.push({ at, millis })
  }

  /** How many were answered in the second before `at`, and the longest wait of them and of those who wait now. */
  lastSecond(at: number): { readonly answered: number; readonly longestMillis: number } {
    this.#answers = this.#answers.filter((answer) => answer.at > at - 1000)
    const longest = this.#answers.reduce((most, { millis }) => Math.max(most, millis), 0)
    return { answered: this.#answers.length, longestMillis: Math.max(longest, this.#oldestMillis(at)) }
  }

  /** Everything until `at`; who still waits counts with the time waited so far. */
  slices(at: number, sliceMillis: number): Slice[] {
    const sliceOf = (time: number): number => Math.max(0, Math.floor((time - this.#start) / sliceMillis))
    const slices = Array.from({ length: sliceOf(at) + 1 }, () => ({ worstMillis: 0, waiting: false }))
    this.#worst.forEach((millis, index) => {
      const slice = slices[Math.floor((index * GRAIN_MILLIS) / sliceMillis)]
      if (slice !== undefined) slice.worstMillis = Math.max(slice.worstMillis, millis)
    })
    for (const issuedAt of this.#waiting.values()) {
      const slice = slices[sliceOf(issuedAt)]
      if (slice === undefined) continue
      slice.worstMillis = Math.max(slice.worstMillis, at - issuedAt)
      // What is on its way at any moment is not what a reader would call waiting.
      slice.waiting ||= at - issuedAt > 50
    }
    return slices
  }

  #oldestMillis(at: number): number {
    const [oldest] = this.#waiting.values()
    return oldest === undefined ? 0 : at - oldest
  }
}
