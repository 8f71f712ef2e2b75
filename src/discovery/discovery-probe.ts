import type { Discovery } from './discovery'
import { SourceProbe } from './source-probe'
import type { NoAnswer } from './source-probe'

interface Answer {
  readonly ok: true
  /** Of its entries nothing is known yet. */
  readonly hosts: readonly unknown[]
}

/** What came of one question to a source. */
export type DiscoveryResult = Answer | NoAnswer

/** Asks a source which hosts there are. */
export class DiscoveryProbe extends SourceProbe<Answer> {
  readonly #source: Discovery

  constructor(source: Discovery) {
    super()
    this.#source = source
  }

  protected async answer(signal: AbortSignal): Promise<DiscoveryResult> {
    const hosts: unknown = await this.#source.hosts(signal)
    if (!Array.isArray(hosts)) return { ok: false, reason: 'gave an answer that is no array of hosts' }
    return hosts.length > 0 ? { ok: true, hosts } : { ok: false, reason: 'listed no host' }
  }
}
