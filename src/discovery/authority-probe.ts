import type { Authority, ConfirmedLeader } from './authority'
import { SourceProbe } from './source-probe'
import type { NoAnswer } from './source-probe'

interface Answer {
  readonly ok: true
  readonly leader: ConfirmedLeader | undefined
}

/** What came of one question to an authority. */
export type AuthorityResult = Answer | NoAnswer

/** Asks an authority who leads. */
export class AuthorityProbe extends SourceProbe<Answer> {
  readonly #authority: Authority

  constructor(authority: Authority) {
    super()
    this.#authority = authority
  }

  protected async answer(signal: AbortSignal): Promise<AuthorityResult> {
    const leader: unknown = await this.#authority.leader(signal)
    if (leader === undefined || isUsable(leader)) return { ok: true, leader }
    return { ok: false, reason: 'gave an answer without host, port or leaseMillis' }
  }
}

function isUsable(leader: unknown): leader is ConfirmedLeader {
  if (typeof leader !== 'object' || leader === null) return false
  const { host, port, leaseMillis } = leader as Partial<Record<keyof ConfirmedLeader, unknown>>
  return typeof host === 'string' && Number.isInteger(port) && Number.isFinite(leaseMillis) && Number(leaseMillis) > 0
}
