import { controlsTransaction } from '../retry/statement'
import { isAmbiguous } from '../sql/tokens'
import { routeOfRead } from './read-route'
import { RouteCache } from './route-cache'
import type { StatementParser } from './statement-parser'
import type { ReadRoute } from './stricter'
import { leader, standby } from './stricter'

/** What is remembered of the statements that nobody has marked, at most. */
export interface GuessLimits {
  /** Texts; at least 2. */
  readonly entries: number
  /** Characters of a text: a longer one is not read at all, and goes to the leader. */
  readonly textLength: number
  /** Fingerprints of what standbys have refused. */
  readonly refused: number
}

/** Some 5 MB at the most. To parse 5000 characters takes a millisecond, in which the process does nothing else. */
export const guessLimits: GuessLimits = { entries: 1000, textLength: 5000, refused: 1000 }

/** Which texts that nobody has marked are reads, as far as a text can show that and as far as standbys have not refused them. */
export class Guesses {
  readonly #parser: StatementParser
  readonly #limits: GuessLimits
  readonly #refused = new Set<string>()
  #routes: RouteCache
  /** Somebody begins or ends transactions where every statement is one: what belongs to them cannot be told. */
  #isOver = false

  constructor(parser: StatementParser, limits = guessLimits) {
    this.#parser = parser
    this.#limits = limits
    this.#routes = this.#forgetful()
  }

  isRead(text: string): boolean {
    return !this.#isOver && this.#routes.routeOf(text).to === 'standby'
  }

  /** A standby would not have it, though it is a read by its text: that goes for all texts that differ from it in their literals only. */
  refused(text: string): void {
    this.#refused.add(this.#fingerprint(text) ?? text)
    for (const oldest of this.#refused) {
      if (this.#refused.size <= this.#limits.refused) break
      this.#refused.delete(oldest)
    }
    // Some of the texts that were reads until now are not any more.
    this.#routes = this.#forgetful()
  }

  #forgetful(): RouteCache {
    return new RouteCache(this.#limits, (text) => this.#routeOf(text))
  }

  #routeOf(text: string): ReadRoute {
    if (text.length > this.#limits.textLength) return leader('it is too long to be parsed while others wait')
    // To the grammar a text ends there. A literal that can be read in two ways it reads in one.
    if (text.includes('\0') || isAmbiguous(text)) return leader('it may mean something else to the server')
    if (controlsTransaction(text)) {
      this.#isOver = true
      return leader('it begins or ends a transaction')
    }
    const route = routeOfRead(text)
    if (route.to !== 'standby') return route
    if (!this.#isParsedAsRead(text)) return leader('it is not known to be a read')
    const isRefused = this.#refused.size > 0 && this.#refused.has(this.#fingerprint(text) ?? text)
    return isRefused ? leader('a standby has refused it') : standby
  }

  /** A parser throws at what is no statement, and where a statement is too deep for it. What is no answer, a promise for example, is no yes. */
  #isParsedAsRead(text: string): boolean {
    try {
      return (this.#parser.isRead(text) as unknown) === true
    } catch {
      return false
    }
  }

  #fingerprint(text: string): string | undefined {
    try {
      return this.#parser.fingerprint(text)
    } catch {
      return undefined
    }
  }
}
