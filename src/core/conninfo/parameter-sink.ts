import { closestKeyword, isConnInfoKeyword } from './keywords'
import type { ConnInfoKeyword, ConnInfoParameters } from './keywords'
import { failure, success } from './result'
import type { Result } from './result'

/** What was read from one string: libpq's keywords, and what the caller wanted kept apart. */
export interface ParsedParameters {
  readonly parameters: ConnInfoParameters
  /** The names that the caller wanted kept apart, with their values; empty when reading exactly as libpq. */
  readonly extra: Readonly<Record<string, string>>
}

/**
 * Which names unknown to libpq are kept apart instead of being refused, because a string written for `pg` carries
 * `schema`, `uselibpqcompat` and the like.
 */
export type Keeps = (name: string) => boolean

/** Refuses whatever libpq refuses. */
export const keepsNothing: Keeps = () => false

/** Collects keywords in the order they come; the last one of the same name wins. */
export class ParameterSink {
  readonly #parameters = new Map<ConnInfoKeyword, string>()
  readonly #extra = new Map<string, string>()
  readonly #keeps: Keeps

  constructor(keeps: Keeps) {
    this.#keeps = keeps
  }

  /** Stores a value; `where` says in words where the keyword stands. */
  store(name: string, value: string, where: string): Result<undefined> {
    if (name === 'requiressl') return this.#storeRequireSsl(value)
    if (isConnInfoKeyword(name)) {
      this.#parameters.set(name, value)
      return success(undefined)
    }
    if (this.#keeps(name)) {
      this.#extra.set(name, value)
      return success(undefined)
    }
    const meant = closestKeyword(name)
    const hint = meant === undefined ? '' : ` (did you mean "${meant}"?)`
    return failure('keyword', `the keyword ${where} is not one of libpq's${hint}`)
  }

  take(): ParsedParameters {
    return Object.freeze({
      parameters: Object.freeze(Object.fromEntries(this.#parameters)),
      extra: Object.freeze(Object.fromEntries(this.#extra)),
    })
  }

  /** The name of old: libpq reads a leading 1 as `sslmode=require` and everything else as `sslmode=prefer`. */
  #storeRequireSsl(value: string): Result<undefined> {
    if (value.startsWith('1')) this.#parameters.set('sslmode', 'require')
    // In pg's meaning `prefer` demands TLS, the opposite of what requiressl=0 asks for, and pg does not know the name.
    else if (this.#keeps('requiressl')) this.#extra.set('requiressl', value)
    else this.#parameters.set('sslmode', 'prefer')
    return success(undefined)
  }
}
