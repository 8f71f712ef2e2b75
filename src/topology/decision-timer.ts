import type { TopologyEvent } from '../core/topology/events'
import { now } from '../runtime/clock'
import { createLog } from '../runtime/log'
import { after, graceMillis, lateMillis } from '../runtime/timer'
import type { Timer } from '../runtime/timer'

const log = createLog('topology')

/**
 * Calls for what is due by time: the end of a lease, a choice that had to wait. If this process was blocked until now it says
 * so first, and calls a moment later: the answers to decide by may lie unread in the sockets.
 */
export class DecisionTimer {
  readonly #dispatch: (event: TopologyEvent) => void
  #timer: Timer | undefined
  #due: number | undefined
  /** The end of a moment that was granted already; it is granted once. */
  #grantedUntil = -Infinity

  constructor(dispatch: (event: TopologyEvent) => void) {
    this.#dispatch = dispatch
  }

  /** `due`: when something is to be decided; undefined if nothing is. */
  arm(due: number | undefined, grantedUntil: number): void {
    this.cancel()
    this.#due = due
    this.#grantedUntil = grantedUntil
    if (due !== undefined) this.#timer = after(due - now(), () => this.#decide(due))
  }

  /** Decides what is due by now, although its timer may not have come round yet. */
  catchUp(): void {
    if (this.#due !== undefined && now() >= this.#due) this.#decide(this.#due)
  }

  cancel(): void {
    this.#timer?.cancel()
  }

  #decide(due: number): void {
    const at = now()
    const isLate = at - due > lateMillis && due !== this.#grantedUntil
    if (isLate) log('this process was blocked for %d ms', Math.round(at - due))
    this.#dispatch(isLate ? { type: 'stalled', at, until: at + graceMillis } : { type: 'tick', at })
  }
}
