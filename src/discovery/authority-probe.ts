import { limit } from '../runtime/timer'
import type { Authority, ConfirmedLeader } from './authority'

/** What came of one question to an authority. */
export type AuthorityResult =
  { readonly ok: true; readonly leader: ConfirmedLeader | undefined } | { readonly ok: false; readonly reason: string }

/** Asks an authority, which is code of others: an answer, or why there is none, comes in time, and nothing is ever thrown. */
export class AuthorityProbe {
  readonly #authority: Authority
  #open: AbortController | undefined

  constructor(authority: Authority) {
    this.#authority = authority
  }

  /** One question. Never rejects. */
  async ask(timeoutMillis: number): Promise<AuthorityResult> {
    const question = new AbortController()
    this.#open = question
    let expire: (result: AuthorityResult) => void = () => undefined
    const expiry = new Promise<AuthorityResult>((resolve) => (expire = resolve))
    const timer = limit(timeoutMillis, () => {
      expire({ ok: false, reason: `did not answer within ${timeoutMillis} ms` })
      question.abort()
    })
    try {
      return await Promise.race([this.#answer(question.signal), expiry])
    } finally {
      timer.cancel()
    }
  }

  /** Gives up the question that is open. */
  close(): void {
    this.#open?.abort()
  }

  async #answer(signal: AbortSignal): Promise<AuthorityResult> {
    try {
      const leader: unknown = await this.#authority.leader(signal)
      if (leader === undefined || isUsable(leader)) return { ok: true, leader }
      return { ok: false, reason: 'gave an answer without host, port or leaseMillis' }
    } catch (error) {
      return { ok: false, reason: error instanceof Error ? error.message : String(error) }
    }
  }
}

function isUsable(leader: unknown): leader is ConfirmedLeader {
  if (typeof leader !== 'object' || leader === null) return false
  const { host, port, leaseMillis } = leader as Partial<Record<keyof ConfirmedLeader, unknown>>
  return typeof host === 'string' && Number.isInteger(port) && Number.isFinite(leaseMillis) && Number(leaseMillis) > 0
}
