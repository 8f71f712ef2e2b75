import { mayBePruned } from '../core/outcome/marker-age'
import type { Session } from '../pool/session'
import { asText } from '../runtime/as-text'
import { onLeader } from './look-up'
import type { LookUpPort } from './look-up'
import { ageOf, missingQuestion } from './marker'
import type { Marker } from './marker'
import type { AcknowledgedBook, Lost, Row } from './proof'
import { Recent } from './recent'

interface Entry {
  readonly marker: Marker
  readonly tag: string | undefined
}

/** The last transactions that wrote a marker and whose COMMIT was answered. */
export class AcknowledgedMarkers implements AcknowledgedBook<Marker> {
  readonly #table: { readonly table: string; readonly maxAgeMillis: number }
  readonly #written: () => void
  readonly #recent = new Recent<Entry>()

  constructor(table: { readonly table: string; readonly maxAgeMillis: number }, written: () => void) {
    this.#table = table
    this.#written = written
  }

  add(_session: Session, marker: Marker | undefined, tag: string | undefined): void {
    if (marker === undefined) return
    this.#recent.add({ marker, tag })
    this.#written()
  }

  async findLost(port: LookUpPort): Promise<Lost> {
    const { maxAgeMillis } = this.#table
    // What is missing for its age is not lost.
    this.#recent.forget(this.#recent.last.filter(({ marker }) => mayBePruned(ageOf(marker), maxAgeMillis)))
    const { last } = this.#recent
    if (last.length > 0) await this.#ask(port, last)
    return this.#recent.lost
  }

  told(): void {
    this.#recent.told()
  }

  async #ask(port: LookUpPort, entries: readonly Entry[]): Promise<void> {
    const text = missingQuestion(this.#table.table)
    const values = [entries.map(({ marker }) => marker.id)]
    const { rows } = await onLeader(port, (client) => client.query<Row>({ text, values, types: asText }))
    if (rows[0]?.['in_recovery'] !== 'false') throw new Error('the host that answered is a standby')
    const missing = new Set(JSON.parse(rows[0]['missing'] ?? '[]') as string[])
    this.#recent.lose(entries.filter(({ marker }) => missing.has(marker.id)))
  }
}
