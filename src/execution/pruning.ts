import { AsyncResource } from 'node:async_hooks'
import { pruneBatch, pruneDelay, prunesOn } from '../core/outcome/marker-age'
import { now } from '../runtime/clock'
import { createLog } from '../runtime/log'
import { random } from '../runtime/random'
import { after } from '../runtime/timer'
import type { Timer } from '../runtime/timer'
import { onLeader } from './look-up'
import { pruneQuestion } from './marker'

const log = createLog('execution')

/**
 * Deletes old rows from a table of markers, now and then, as long as its pool writes any. Nobody waits for it, and whoever else
 * does the same at the same time deletes other rows.
 */
export class Pruning {
  readonly #leader: Parameters<typeof onLeader>[0]['leader']
  readonly #table: { readonly table: string; readonly maxAgeMillis: number }
  /** It is nobody's request, whoever wrote the row that it follows from. */
  readonly #context = new AsyncResource('pg-leader.pruning', { requireManualDestroy: true })
  #next: Timer | undefined
  #last: number | undefined
  #ended = false

  /** `leader`: a client that no caller waits for; rejects if nobody leads. */
  constructor(
    leader: Parameters<typeof onLeader>[0]['leader'],
    table: { readonly table: string; readonly maxAgeMillis: number },
  ) {
    this.#leader = leader
    this.#table = table
  }

  /** A row has been written: the time will come at which it has to go. */
  written(): void {
    if (this.#next !== undefined || this.#ended || this.#table.maxAgeMillis === Infinity) return
    const delay = pruneDelay(this.#last === undefined ? undefined : now() - this.#last, random())
    this.#next = this.#context.runInAsyncScope(() => after(delay, () => void this.#prune()))
  }

  end(): void {
    this.#ended = true
    this.#next?.cancel()
    this.#context.emitDestroy()
  }

  async #prune(): Promise<void> {
    const { table, maxAgeMillis } = this.#table
    const begun = now()
    try {
      const deleted = await onLeader({ leader: this.#leader }, async (client) => {
        let sum = 0
        for (;;) {
          const { rowCount } = await client.query(pruneQuestion(table, maxAgeMillis, pruneBatch))
          sum += rowCount ?? 0
          if (!prunesOn(rowCount ?? 0, now() - begun)) return sum
        }
      })
      log('%d old rows were deleted from %s', deleted, table)
    } catch (error) {
      log('old rows of %s could not be deleted: %s', table, (error as Error).message)
    }
    this.#last = begun
    this.#next = undefined
  }
}
