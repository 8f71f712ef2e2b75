import { AsyncResource } from 'node:async_hooks'
import { now } from '../runtime/clock'
import { after, limit } from '../runtime/timer'
import type { Timer } from '../runtime/timer'

/** Puts one question and brings the answer, or why there is none, in time. Never rejects. */
export interface Asker<Result> {
  ask(timeoutMillis: number): Promise<Result>
  /** Ends what was kept open for the next question. */
  close(): void
}

/** What a monitor is told and asked by its owner. `subject`: whom it asks. */
export interface MonitorOwner<Result> {
  /** How long to wait until the next question, counted from when the last one was sent; Infinity: until woken. */
  intervalMillis(subject: string, last: Result): number
  /** A question has been open for long, though not too long yet. */
  slow(subject: string): void
  /** A question was answered, or was not. `sentAt`: when it was sent. */
  report(subject: string, sentAt: number, result: Result): void
}

/** The share of its time after which an answer that has not come is a reason to look at the other hosts. */
const uneasyAfter = 0.25

/** When to ask one host, or an authority: on its own rhythm, and at once when somebody wants to know. One question at a time. */
export class Monitor<Result> {
  readonly #subject: string
  readonly #probe: Asker<Result>
  readonly #owner: MonitorOwner<Result>
  readonly #timeoutMillis: number
  /** Whoever wakes it, its questions are its own: no caller's async context goes on living in its timers. */
  readonly #context = new AsyncResource('pg-leader.monitor', { requireManualDestroy: true })
  #next: Timer | undefined
  #unease: Timer | undefined
  #asking = false
  #again = false
  #stopped = false
  /** Who waits for the question that is open now, and who for the one after it. */
  #waiters: (() => void)[] = []
  #later: (() => void)[] = []
  #last: { sentAt: number; result: Result } | undefined

  constructor(subject: string, probe: Asker<Result>, owner: MonitorOwner<Result>, timeoutMillis: number) {
    this.#subject = subject
    this.#probe = probe
    this.#owner = owner
    this.#timeoutMillis = timeoutMillis
  }

  /** Asks at once; if a question is open already, again as soon as that is answered: its answer may be older than now. */
  wake(): void {
    if (this.#stopped) return
    this.#next?.cancel()
    if (this.#asking) this.#again = true
    else this.#context.runInAsyncScope(() => void this.#ask())
  }

  /** Asks, and resolves when an answer to a question sent from now on has been reported. */
  fresh(): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    return new Promise((resolve) => {
      // Whoever comes while a question is open waits for the one after it.
      if (this.#asking) this.#later.push(resolve)
      else this.#waiters.push(resolve)
      this.wake()
    })
  }

  /** Forgets the rhythm: the time until the next question is asked for again. */
  reschedule(): void {
    if (!this.#asking && !this.#stopped && this.#last !== undefined) this.#schedule(this.#last)
  }

  /** Asks no more and ends the parked session; whoever waits is let go. */
  stop(): void {
    this.#stopped = true
    this.#next?.cancel()
    this.#unease?.cancel()
    this.#probe.close()
    this.#settle()
    this.#settle()
    this.#context.emitDestroy()
  }

  async #ask(): Promise<void> {
    this.#asking = true
    this.#again = false
    const sentAt = now()
    // A limit: while this process is blocked nobody is slow but itself.
    const unease = limit(this.#timeoutMillis * uneasyAfter, () => this.#owner.slow(this.#subject))
    this.#unease = unease
    const result = await this.#probe.ask(this.#timeoutMillis)
    unease.cancel()
    if (this.#stopped) return
    // Whoever wakes us while hearing the report waits for the question after it.
    this.#owner.report(this.#subject, sentAt, result)
    this.#asking = false
    if (this.#stopped) return
    this.#settle()
    this.#last = { sentAt, result }
    if (this.#again) void this.#ask()
    else this.#schedule(this.#last)
  }

  #settle(): void {
    const settled = this.#waiters
    this.#waiters = this.#later
    this.#later = []
    for (const resolve of settled) resolve()
  }

  #schedule({ sentAt, result }: { sentAt: number; result: Result }): void {
    this.#next?.cancel()
    const interval = this.#owner.intervalMillis(this.#subject, result)
    if (interval === Infinity) this.#probe.close()
    else this.#next = after(sentAt + interval - now(), () => this.wake())
  }
}
