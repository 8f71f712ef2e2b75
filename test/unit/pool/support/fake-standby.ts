import { formatLsn, parseLsn } from '../../../../src/core/outcome/lsn'
import type { Ask } from '../../../../src/pool/ask'

/** A standby that is asked how far it is, and that can be waited for if its version says so. */
export class FakeStandby {
  lsn: bigint
  timeline: number
  version: number
  inRecovery = true
  /** What becomes of WAIT FOR, if it is not what the manual says. */
  instead: (() => Promise<string>) | undefined
  /** So many questions have been asked. */
  questions = 0
  /** The text of every WAIT FOR, in order. */
  readonly waits: string[] = []
  /** How many of them are open, and how many were at most. */
  open = 0
  mostOpen = 0
  readonly #waiting = new Set<() => void>()

  constructor({ lsn = 100n, timeline = 1, version = 190_000 } = {}) {
    this.lsn = lsn
    this.timeline = timeline
    this.version = version
  }

  /** Replays so far. */
  replay(lsn: bigint): void {
    this.lsn = lsn
    for (const look of this.#waiting) look()
  }

  promote(): void {
    this.inRecovery = false
    for (const look of this.#waiting) look()
  }

  readonly ask: Ask = async (_host, query) => {
    const { text, query_timeout: limit } = query as { readonly text: string; readonly query_timeout?: number }
    const [, target, millis] = /^wait for lsn '([^']+)' with \(timeout '(\d+)ms', no_throw\)$/.exec(text) ?? []
    // pg would take the application's own, which may be shorter than the wait.
    if (target !== undefined && !(limit! > Number(millis))) throw new Error(`query_timeout of a wait: ${limit}`)
    if (target !== undefined) return { rows: [{ status: await this.#wait(text, parseLsn(target)!, Number(millis)) }] }
    if (text.includes('wait')) throw new Error(`not as the manual has it: ${text}`)
    this.questions += 1
    const row = { lsn: formatLsn(this.lsn), timeline: String(this.timeline), version: String(this.version) }
    return { rows: this.inRecovery ? [row] : [] }
  }

  async #wait(text: string, target: bigint, millis: number): Promise<string> {
    this.waits.push(text)
    if (this.instead !== undefined) return this.instead()
    this.open += 1
    this.mostOpen = Math.max(this.mostOpen, this.open)
    const status = await new Promise<string>((resolve) => {
      const look = (): void => {
        if (!this.inRecovery) resolve('not in recovery')
        else if (this.lsn >= target) resolve('success')
        else return
        clearTimeout(timer)
      }
      // None at all is for ever.
      const timer = millis > 0 ? setTimeout(resolve, millis, 'timeout') : undefined
      this.#waiting.add(look)
      look()
    })
    this.open -= 1
    return status
  }
}
