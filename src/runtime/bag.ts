/** What a {@link Bag} holds knows its place there; -1: it is in none. */
export interface BagItem {
  place: number
}

/**
 * Some things, in no order, each added and removed once: on the way of every statement. A Set that lives long makes what was in
 * it live long: its tables, when it outgrows them, stay linked, and the old ones keep alive what the young generation has.
 */
export class Bag<T extends BagItem> {
  readonly #items: T[] = []

  /** A copy of what is in it. */
  get items(): readonly T[] {
    return [...this.#items]
  }

  add(item: T): T {
    item.place = this.#items.length
    this.#items.push(item)
    return item
  }

  /** Whether it was there. */
  remove(item: T): boolean {
    const { place } = item
    if (place < 0) return false
    const last = this.#items.pop() as T
    if (last !== item) {
      this.#items[place] = last
      last.place = place
    }
    item.place = -1
    return true
  }
}
