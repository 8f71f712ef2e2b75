/** Something that waits in a {@link WaitQueue}: settled once, and forgotten then. */
export interface Waiting {
  readonly arrival: number
  readonly settled: boolean
}

/**
 * First come, first served, by time of arrival: who comes back after a failed attempt stands where the call first
 * stood. Whoever is settled while in the line (aborted, expired) costs nothing more and leaves it by and by.
 */
export class WaitQueue<T extends Waiting> {
  #line: T[] = []
  #head = 0
  #live = 0

  /** How many are waiting. */
  get size(): number {
    return this.#live
  }

  add(item: T): void {
    this.#live += 1
    const last = this.#line.at(-1)
    if (last === undefined || this.#line.length === this.#head || last.arrival <= item.arrival) {
      this.#line.push(item)
      return
    }
    let place = this.#head
    while ((this.#line[place]?.arrival ?? Infinity) <= item.arrival) place += 1
    this.#line.splice(place, 0, item)
  }

  /** Who is next; stays in the line until settled. */
  peek(): T | undefined {
    while (this.#head < this.#line.length && this.#line[this.#head]?.settled === true) this.#head += 1
    if (this.#head > 32 && this.#head * 2 > this.#line.length) {
      this.#line = this.#line.slice(this.#head)
      this.#head = 0
    }
    return this.#line[this.#head]
  }

  /** To be called once for every item that was settled, wherever it stood. */
  left(): void {
    this.#live -= 1
    const waste = this.#line.length - this.#head - this.#live
    if (waste > 64 && waste > this.#live) {
      this.#line = [...this]
      this.#head = 0
    }
  }

  /** All who wait, in order. */
  *[Symbol.iterator](): Iterator<T> {
    for (let place = this.#head; place < this.#line.length; place += 1) {
      const item = this.#line[place]
      if (item !== undefined && !item.settled) yield item
    }
  }
}
