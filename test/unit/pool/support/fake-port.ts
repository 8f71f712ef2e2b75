import { Checkout } from '../../../../src/pool/checkout'
import type { CheckoutPort } from '../../../../src/pool/checkout-port'
import { Clients } from '../../../../src/pool/clients'
import { beginCall } from '../../../../src/pool/ticket'
import type { Call, CheckoutCallback } from '../../../../src/pool/ticket'
import { FailoverStory } from '../../../../src/telemetry/failover-story'
import { dialled } from './fake-client'
import type { FakeClient } from './fake-client'

/** What became of one caller. */
export interface Caller {
  readonly call: Call
  error?: Error | undefined
  client?: FakeClient | undefined
  settlements: number
}

/** A pool that does what a test says: requests stay open until they are answered here. */
export class FakePool {
  readonly open: CheckoutCallback[] = []
  readonly served: Caller[] = []
  readonly clients = new Clients()
  readonly story = new FailoverStory(() => undefined)
  readonly checkout: Checkout
  readonly blame = new WeakMap<object, 'host' | 'nobody'>()
  available = false
  idleCount = 0
  successors = 0
  requested = 0
  mostOpen = 0
  held: boolean[] = []
  suitable = true
  doubtedAt = -Infinity
  dead: string[] = []
  obstacle: Error | undefined = undefined
  /** What a request does beside waiting for its answer. */
  onRequest: (callback: CheckoutCallback) => void = () => undefined

  constructor(options: Partial<Pick<CheckoutPort, 'max' | 'limits' | 'maxWaiting' | 'aliveCheckMillis'>> = {}) {
    const idleCount = (): number => this.idleCount
    this.checkout = new Checkout(
      {
        max: 3,
        get idleCount() {
          return idleCount()
        },
        limits: { connectionTimeoutMillis: undefined, failoverTimeoutMillis: undefined },
        maxWaiting: 10_000,
        aliveCheckMillis: 1000,
        aliveTimeoutMillis: 200,
        ...options,
        request: (callback) => {
          this.requested += 1
          this.open.push(callback)
          this.mostOpen = Math.max(this.mostOpen, this.open.length)
          this.onRequest(callback)
        },
        available: () => this.available,
        successors: () => this.successors,
        explain: () => [{ host: 'a:1', reason: 'is a standby (in recovery)' }],
        obstacle: () => this.obstacle,
        suitable: () => this.suitable,
        trusted: (session) => this.suitable && session.usedAt >= this.doubtedAt,
        blames: (error) => this.blame.get(error as object) ?? 'caller',
        dead: (session) => void this.dead.push(session.host),
        adopt: (_client, callback) => callback(true),
        held: (somebody) => void this.held.push(somebody),
      },
      this.clients,
      this.story,
    )
  }

  /** Somebody asks for a client. `settled` runs in the callback itself. */
  enter(options: { arrival?: number; signal?: AbortSignal; call?: Call; settled?: () => void } = {}): Caller {
    const call = options.call ?? beginCall(options.arrival ?? performance.now(), options.signal)
    const caller: Caller = { call, settlements: 0 }
    this.checkout.enter(call, (error, client) => {
      caller.settlements += 1
      caller.error = error
      caller.client = client as unknown as FakeClient | undefined
      if (client !== undefined) this.served.push(caller)
      options.settled?.()
    })
    return caller
  }

  /** There is a host to go to, or there is none. */
  setAvailable(available: boolean): void {
    this.available = available
    this.checkout.update()
  }

  /** pg-pool answers the oldest request with a client. */
  deliver({ client } = dialled()): FakeClient {
    this.open.shift()?.(undefined, client.asPoolClient)
    return client
  }

  /** pg-pool answers the oldest request with an error, which somebody is to blame for. */
  refuse(message: string, blamed: 'caller' | 'host' | 'nobody'): void {
    const error = new Error(message)
    if (blamed !== 'caller') this.blame.set(error, blamed)
    this.open.shift()?.(error)
  }
}
