import { Checkout } from '../pool/checkout'
import type { Clients } from '../pool/clients'
import type { CheckoutCallback } from '../pool/ticket'
import { beginCall } from '../pool/ticket'
import { now } from '../runtime/clock'
import { FailoverStory } from '../telemetry/failover-story'

/** A pool of pg's that follows nobody. */
export interface PausedPool {
  readonly options: { readonly max: number }
  readonly idleCount: number
}

/** `pause()` where nothing is followed: callers go straight through pg-pool, but while it is paused they are held at its door. */
export class PlainPausing {
  readonly #create: () => Checkout
  #checkout: Checkout | undefined

  /** `connect`: pg-pool's own. */
  constructor(
    pool: PausedPool,
    clients: Clients,
    connect: (callback: CheckoutCallback) => void,
    connectionTimeoutMillis: number | undefined,
  ) {
    this.#create = () => createCheckout(pool, clients, connect, connectionTimeoutMillis)
  }

  /** The line of those who are held; undefined before the first pause. */
  get line(): Checkout | undefined {
    return this.#checkout
  }

  /** The same, made now if there is none. */
  get checkout(): Checkout {
    return (this.#checkout ??= this.#create())
  }

  /** Whether callers have to come in by `enter`. */
  get holds(): boolean {
    return this.#checkout !== undefined && (this.#checkout.paused || this.#checkout.waiting > 0)
  }

  enter(callback: CheckoutCallback): void {
    this.checkout.enter(beginCall(now()), callback)
  }
}

function createCheckout(
  pool: PausedPool,
  clients: Clients,
  connect: (callback: CheckoutCallback) => void,
  connectionTimeoutMillis: number | undefined,
): Checkout {
  const checkout = new Checkout(
    {
      request: connect,
      get max() {
        return pool.options.max
      },
      get idleCount() {
        return pool.idleCount
      },
      limits: { connectionTimeoutMillis, failoverTimeoutMillis: undefined },
      maxWaiting: Infinity,
      aliveCheckMillis: Infinity,
      aliveTimeoutMillis: Infinity,
      available: () => true,
      successors: () => 0,
      explain: () => [],
      obstacle: () => undefined,
      suitable: () => true,
      trusted: () => true,
      blames: () => 'caller',
      dead: () => undefined,
      adopt: (_client, callback) => callback(true),
      held: () => undefined,
    },
    clients,
    new FailoverStory(() => undefined),
  )
  checkout.update()
  return checkout
}
