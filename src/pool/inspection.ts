import type { PoolClient } from 'pg'
import { checkAlive } from '../client/alive'
import { now } from '../runtime/clock'
import type { CheckoutPort } from './checkout-port'
import { isGone, sessionOf } from './session'
import type { Session } from './session'

/** The look at a client that pg-pool delivers: is its host still the one to go to, and does it still answer? */
export class Inspection {
  readonly #port: CheckoutPort
  readonly #judged: (client: PoolClient, usable: boolean) => void

  /** `judged` is told of every client that was inspected, once. */
  constructor(port: CheckoutPort, judged: (client: PoolClient, usable: boolean) => void) {
    this.#port = port
    this.#judged = judged
  }

  /** Whether a client may be handed out without another look. */
  isFresh(session: Session, at: number): boolean {
    return at - session.usedAt <= this.#port.aliveCheckMillis && !isGone(session) && this.#port.trusted(session)
  }

  /** `held`: nobody is to have it now, so it is not asked. `at`: when it has to have been alive. */
  inspect(client: PoolClient, held: boolean, at: number): void {
    const session = sessionOf(client)
    if (session === undefined) {
      this.#port.adopt(client, (usable) => this.#judged(client, usable))
      return
    }
    if (held) return this.#judged(client, !isGone(session))
    if (this.isFresh(session, at)) return this.#judged(client, true)
    if (isGone(session) || !this.#port.suitable(session)) return this.#judged(client, false)
    checkAlive(client, this.#port.aliveTimeoutMillis, (alive) => {
      if (alive) session.usedAt = now()
      else this.#port.dead(session)
      this.#judged(client, alive && !session.retired)
    })
  }
}
