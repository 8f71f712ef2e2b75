import { sqlstate } from '../../../../src/core/retry/sqlstate'
import type { ProbeResult } from '../../../../src/monitor/probe'
import { limit } from '../../../../src/runtime/timer'
import { serverError } from './sim-client'
import { onStage } from './stage'
import type { Link, Message } from './wire'

/** No COMMIT is looked up here: what would tell its fate is not asked. */
const recovery = Object.freeze({ replayLsn: undefined, timeline: undefined, session: 0 })

/** Stands in for `src/monitor/probe.ts`: a session parked on a simulated host, and a question over it. */
export class Probe {
  readonly #host: string
  readonly #lost: (why: string) => void
  #link: Link | undefined
  #isParked = false
  /** Whoever waits for the answer to the question that is open. */
  #answer: ((result: ProbeResult) => void) | undefined

  constructor(host: string, _signIn: unknown, lost: (why: string) => void) {
    this.#host = host
    this.#lost = lost
  }

  ask(timeoutMillis: number): Promise<ProbeResult> {
    return new Promise((resolve) => {
      const timer = limit(timeoutMillis, () => {
        this.#shut()
        this.#answer?.(failed(`did not answer within ${timeoutMillis} ms`))
      })
      this.#answer = (result) => {
        timer.cancel()
        this.#answer = undefined
        resolve(result)
      }
      if (this.#link === undefined) this.#open()
      else this.#link.ask()
    })
  }

  close(): void {
    this.#shut()
    this.#answer?.(failed('the probe was closed'))
  }

  #shut(): void {
    this.#link?.close(false)
    this.#link = undefined
    this.#isParked = false
  }

  #open(): void {
    const link = onStage().wire.connect(this.#host, (message) => this.#link === link && this.#hear(message))
    this.#link = link
  }

  #hear(message: Message): void {
    switch (message.type) {
      case 'ready':
        this.#link?.ask()
        return
      case 'told':
        this.#isParked = true
        if (message.truth.type === 'answer') this.#answer?.({ ok: true, answer: message.truth.answer, recovery })
        else this.#answer?.(failed(message.truth.reason))
        return
      case 'error':
      case 'notice':
        return this.#ended(`the server said ${message.code}`, message.code)
      case 'end':
        return this.#ended(message.code ?? 'the session ended')
      case 'done':
        return
      default:
        message satisfies never
    }
  }

  #ended(why: string, code?: string): void {
    const wasParked = this.#isParked
    this.#shut()
    if (this.#answer === undefined) this.#lost(why)
    // That a parked session has ended says nothing of the host: it is asked over a new one.
    else if (wasParked) this.#open()
    else
      this.#answer(
        failed(why, code === sqlstate.tooManyConnections ? serverError({ code, severity: 'FATAL' }) : undefined),
      )
  }
}

function failed(reason: string, error?: Error): ProbeResult {
  return { ok: false, failure: Object.freeze({ reason, aboutCaller: false, error }) }
}
