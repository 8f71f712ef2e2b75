import { SLICE_MILLIS } from './strip'
import type { Slice } from './strip'

/** Remembers how long requests took, slice by slice of the time at which they were issued. */
export class Latency {
  readonly #start: number
  readonly #worst: number[] = []
  readonly #waiting = new Map<number, number>()
  #answers: number[] = []
  #longestMillis = 0

  /** Times are those of `performance.now()`. */
  constructor(start: number) {
    this.#start = start
  }

  get longestMillis(): number {
    return this.#longestMillis
  }

  get waiting(): number {
    return this.#waiting.size
  }

  issued(id: number, at: number): void {
    this.#waiting.set(id, at)
  }

  answered(id: number, at: number): void {
    const issuedAt = this.#waiting.get(id)
    if (issuedAt === undefined) return
    this.#waiting.delete(id)
    const millis = at - issuedAt
    const index = this.#slice(issuedAt)
    this.#worst[index] = Math.max(this.#worst[index] ?? 0, millis)
    this.#longestMillis = Math.max(this.#longestMillis, millis)
    this.#answers.push(at)
  }

  /** How many were answered in the second before `at`. */
  lastSecond(at: number): number {
    this.#answers = this.#answers.filter((answer) => answer > at - 1000)
    return this.#answers.length
  }

  /** Everything until `at`; who still waits counts with the time waited so far. */
  slices(at: number): Slice[] {
    const slices = Array.from({ length: this.#slice(at) + 1 }, (_, index) => ({
      worstMillis: this.#worst[index] ?? 0,
      waiting: false,
    }))
    for (const issuedAt of this.#waiting.values()) {
      const slice = slices[this.#slice(issuedAt)]
      if (slice === undefined) continue
      slice.worstMillis = Math.max(slice.worstMillis, at - issuedAt)
      // What is on its way at any moment is not what a reader would call waiting.
      slice.waiting ||= at - issuedAt > 50
    }
    return slices
  }

  #slice(at: number): number {
    return Math.max(0, Math.floor((at - this.#start) / SLICE_MILLIS))
  }
}
