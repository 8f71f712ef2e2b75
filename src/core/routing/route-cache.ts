import { routeOfRead } from './read-route'
import type { ReadRoute } from './read-route'

/** What a cache of routes remembers at most. */
export interface RouteCacheLimits {
  /** Texts; at least 2. */
  readonly entries: number
  /** Characters of a text: a longer one is read each time. */
  readonly textLength: number
}

/**
 * Some 2 MB at the most. A text of 500 characters is found in less than 1 µs, were it a string of its own each time; a longer
 * one is seldom worth it: most are read in 2 ns a character, and to look for one takes nearly as long.
 */
export const routeCacheLimits: RouteCacheLimits = { entries: 2000, textLength: 500 }

/**
 * Remembers where texts go. Of two halves the younger one is filled; when it is full it is the older one, and what was not asked
 * for since the last time is forgotten: a text that is asked for all the time stays, and to find it moves nothing.
 */
export class RouteCache {
  readonly #half: number
  readonly #textLength: number
  readonly #read: (text: string) => ReadRoute
  #young = new Map<string, ReadRoute>()
  #old: ReadonlyMap<string, ReadRoute> = new Map<string, ReadRoute>()

  constructor({ entries, textLength } = routeCacheLimits, read = routeOfRead) {
    this.#half = Math.max(1, Math.floor(entries / 2))
    this.#textLength = textLength
    this.#read = read
  }

  /** How many texts are remembered. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** What {@link routeOfRead} says of this text. */
  routeOf(text: string): ReadRoute {
    if (text.length > this.#textLength) return this.#read(text)
    const known = this.#young.get(text)
    if (known !== undefined) return known
    const route = this.#old.get(text) ?? this.#read(text)
    if (this.#young.size >= this.#half) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(text, route)
    return route
  }
}
