import type { HostKey } from '../../../../src/core/topology/host'
import type { Server } from '../world'

/** What a caller asked for. */
export type Kind = 'write' | 'idempotent' | 'read' | 'procedure' | 'checkout'

/** All that is known of one call of the application. */
export interface Entry {
  readonly id: number
  readonly kind: Kind
  readonly at: number
  readonly sent: { readonly host: HostKey; readonly at: number }[]
  readonly executed: HostKey[]
  readonly settled: { readonly at: number; readonly error: unknown }[]
}

/** What was asked for, what was sent, what the servers executed and what the callers were told. */
export class Book {
  readonly entries: Entry[] = []
  readonly #now: () => number
  readonly #onSettled: (entry: Entry, error: unknown) => void

  /** `onSettled` is told of everything that callers are told. */
  constructor(now: () => number, onSettled: (entry: Entry, error: unknown) => void) {
    this.#now = now
    this.#onSettled = onSettled
  }

  called(kind: Kind): Entry {
    const entry: Entry = { id: this.entries.length, kind, at: this.#now(), sent: [], executed: [], settled: [] }
    this.entries.push(entry)
    return entry
  }

  entry(id: number): Entry {
    const entry = this.entries[id]
    if (entry === undefined) throw new Error(`nobody asked for ${id}`)
    return entry
  }

  sent(id: number, host: HostKey): void {
    this.entry(id).sent.push({ host, at: this.#now() })
  }

  executed(id: number, { key }: Server): void {
    this.entry(id).executed.push(key)
  }

  settled(id: number, error: unknown): void {
    const entry = this.entry(id)
    entry.settled.push({ at: this.#now(), error: error ?? undefined })
    this.#onSettled(entry, error)
  }
}
