import type { PoolClient } from 'pg'
import type { HostReason } from '../errors'
import type { Limits } from './deadlines'
import type { Session } from './session'
import type { CheckoutCallback } from './ticket'

/** What a checkout needs of the pool it serves. */
export interface CheckoutPort {
  /** pg-pool's own `connect`. */
  request(callback: CheckoutCallback): void
  readonly max: number
  readonly idleCount: number
  readonly limits: Limits
  readonly maxWaiting: number
  readonly aliveCheckMillis: number
  readonly aliveTimeoutMillis: number
  /** There is a host to go to now. */
  available(): boolean
  /** How many hosts may be the one to go to soon: sessions to them can be made in advance. */
  successors(): number
  /** Why there is none, host by host. */
  explain(): readonly HostReason[]
  /** What keeps callers from a primary that answers, if anything does. */
  obstacle(): Error | undefined
  /** This client's host is one to go to. */
  suitable(session: Session): boolean
  /** It is, and it has not been in doubt since this session last answered. */
  trusted(session: Session): boolean
  /** A failed request says nothing about its caller: `host` would not do, or `nobody` is to blame. */
  blames(error: unknown): 'caller' | 'host' | 'nobody'
  /** A client did not answer. */
  dead(session: Session): void
  /** Takes over a client that was connected before we came: tells whether it may be used. */
  adopt(client: PoolClient, callback: (usable: boolean) => void): void
  /** Somebody is held now, or nobody is any more. */
  held(somebody: boolean): void
}
