import { limit } from '../runtime/timer'

/** Why there is no answer. */
export interface NoAnswer {
  readonly ok: false
  readonly reason: string
}

/** Asks code of others: an answer, or why there is none, comes in time, and nothing is ever thrown. */
export abstract class SourceProbe<Answer> {
  #open: AbortController | undefined

  /** One question. Never rejects. */
  async ask(timeoutMillis: number): Promise<Answer | NoAnswer> {
    const question = new AbortController()
    this.#open = question
    let expire: (result: NoAnswer) => void = () => undefined
    const expiry = new Promise<NoAnswer>((resolve) => (expire = resolve))
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

  /** Asks, and judges the shape of what comes. What is thrown is why there is no answer. */
  protected abstract answer(signal: AbortSignal): Promise<Answer | NoAnswer>

  async #answer(signal: AbortSignal): Promise<Answer | NoAnswer> {
    try {
      return await this.answer(signal)
    } catch (error) {
      return { ok: false, reason: error instanceof Error ? error.message : String(error) }
    }
  }
}
