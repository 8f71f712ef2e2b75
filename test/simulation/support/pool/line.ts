import type { Call, CheckoutCallback } from '../../../../src/pool/ticket'

interface Place {
  readonly arrival: number
  readonly order: number
}

/** A second, naive book of who waits for a client, against which the order is judged in which they are served. */
export class Line {
  readonly #waiting = new Set<Place>()
  readonly #wrong: (why: string) => void
  #order = 0

  constructor(wrong: (why: string) => void) {
    this.#wrong = wrong
  }

  get size(): number {
    return this.#waiting.size
  }

  /** Somebody comes to wait; what is returned is to be called back in place of `callback`. */
  joined({ arrival }: Call, callback: CheckoutCallback): CheckoutCallback {
    const place: Place = { arrival, order: this.#order++ }
    this.#waiting.add(place)
    return (error, client, done) => {
      if (!this.#waiting.delete(place)) this.#wrong('a checkout was answered twice')
      if (client !== undefined) this.#mindOrder(place)
      callback(error, client, done)
    }
  }

  #mindOrder({ arrival, order }: Place): void {
    for (const other of this.#waiting) {
      const isFirst = other.arrival < arrival || (other.arrival === arrival && other.order < order)
      if (isFirst) this.#wrong(`who came at ${arrival} was served before who came at ${other.arrival}`)
    }
  }
}
