import type { Lost } from './proof'

/** So many of the last transactions are remembered: those that a failover may have cut off are among the last. */
const most = 10_000

/** The last transactions whose COMMIT was answered, and which of them were found to be lost and have not been told yet. */
export class Recent<Entry extends { readonly tag: string | undefined }> {
  /** In the order in which they were acknowledged; the oldest go many at a time. */
  #entries: Entry[] = []
  #lost: Entry[] = []

  /** One more has been acknowledged. */
  add(entry: Entry): void {
    this.#entries.push(entry)
    if (this.#entries.length >= 2 * most) this.#entries = this.#entries.slice(-most)
  }

  /** The last of them, as they are now. */
  get last(): readonly Entry[] {
    return this.#entries.slice(-most)
  }

  /** These need not be asked for any more. What was acknowledged meanwhile stays. */
  forget(entries: Iterable<Entry>): void {
    const gone = new Set(entries)
    this.#entries = this.#entries.filter((entry) => !gone.has(entry))
  }

  /** These are lost. Two failovers may be looked into at once: what the other look found has been taken out already. */
  lose(entries: readonly Entry[]): void {
    const present = new Set(this.#entries)
    this.#lost.push(...entries.filter((entry) => present.has(entry)))
    this.forget(entries)
  }

  /** All that was found and has not been told. */
  get lost(): Lost {
    return { count: this.#lost.length, tags: this.#lost.flatMap(({ tag }) => (tag === undefined ? [] : [tag])) }
  }

  told(): void {
    this.#lost = []
  }
}
