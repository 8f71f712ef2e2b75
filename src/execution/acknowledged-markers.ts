import { mayBePruned } from '../core/outcome/marker-age'
import type { Session } from '../pool/session'
import { asText } from '../runtime/as-text'
import { onLeader } from './look-up'
import type { LookUpPort } from './look-up'
import { ageOf, missingQuestion } from './marker'
import type { Marker } from './marker'
import type { AcknowledgedBook, Lost, Row } from './proof'

/** So many of the last transactions are remembered: those that a failover may have cut off are among the last. */
const most = 10_000

interface Entry {
  readonly marker: Marker
  readonly tag: string | undefined
}

/** The last transactions that wrote a marker and whose COMMIT was answered. */
export class AcknowledgedMarkers implements AcknowledgedBook<Marker> {
  readonly #table: { readonly table: string; readonly maxAgeMillis: number }
  readonly #written: () => void
  /** In the order in which they were acknowledged; the oldest go many at a time. */
  #entries: Entry[] = []
  /** What was found to be lost and has not been told yet. */
  #lost: Entry[] = []

  constructor(table: { readonly table: string; readonly maxAgeMillis: number }, written: () => void) {
    this.#table = table
    this.#written = written
  }

  add(_session: Session, marker: Marker | undefined, tag: string | undefined): void {
    if (marker === undefined) return
    this.#entries.push({ marker, tag })
    if (this.#entries.length >= 2 * most) this.#entries = this.#entries.slice(-most)
    this.#written()
  }

  async findLost(port: LookUpPort): Promise<Lost> {
    const { maxAgeMillis } = this.#table
    // What is missing for its age is not lost.
    this.#entries = this.#entries.slice(-most).filter(({ marker }) => !mayBePruned(ageOf(marker), maxAgeMillis))
    if (this.#entries.length > 0) await this.#ask(port, this.#entries)
    return { count: this.#lost.length, tags: this.#lost.flatMap(({ tag }) => (tag === undefined ? [] : [tag])) }
  }

  told(): void {
    this.#lost = []
  }

  async #ask(port: LookUpPort, entries: readonly Entry[]): Promise<void> {
    const text = missingQuestion(this.#table.table)
    const values = [entries.map(({ marker }) => marker.id)]
    const { rows } = await onLeader(port, (client) => client.query<Row>({ text, values, types: asText }))
    if (rows[0]?.['in_recovery'] !== 'false') throw new Error('the host that answered is a standby')
    const missing = new Set(JSON.parse(rows[0]['missing'] ?? '[]') as string[])
    const isMissing = ({ marker }: Entry): boolean => missing.has(marker.id)
    // Two failovers may have been looked into at once: what the first one found has been taken out already.
    this.#lost.push(...this.#entries.filter(isMissing))
    this.#entries = this.#entries.filter((entry) => !isMissing(entry))
  }
}
