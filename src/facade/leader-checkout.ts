import type pg from 'pg'
import type { PoolClient } from 'pg'
import type { FollowOptions } from '../client/conninfo/follow-options'
import type { SessionNews } from '../client/session-news'
import type { Blame } from '../pool/blame'
import type { CheckoutPort } from '../pool/checkout-port'
import type { Clients } from '../pool/clients'
import type { Destinations } from '../pool/destinations'
import type { Hearsay } from '../pool/hearsay'
import type { Roster } from '../pool/roster'
import { sessionOf } from '../pool/session'
import type { LivingTopology } from '../topology/living-topology'
import { adoptClient } from './adopt-client'
import type { InheritedPool } from './inherited-pool'
import type { Settings } from './settings'

/** What a pool that follows has for those who want a client on its host. */
export interface CheckoutGround {
  readonly pool: pg.Pool
  readonly inherited: InheritedPool
  readonly follow: FollowOptions
  readonly settings: Settings
  readonly topology: LivingTopology
  readonly destinations: Destinations
  readonly roster: Roster
  readonly hearsay: Hearsay
  readonly blame: Blame
  readonly clients: Clients
  held(somebody: boolean): void
}

/** How clients of the pool itself are handed out. */
export function leaderCheckoutPort(ground: CheckoutGround): CheckoutPort {
  const { pool, inherited, settings, destinations, hearsay, blame } = ground
  return {
    ...settings,
    aliveTimeoutMillis: settings.times.timeoutMillis,
    get max() {
      return pool.options.max
    },
    get idleCount() {
      return pool.idleCount
    },
    // Called as it is: each layer between is one more on the way of every statement.
    request: inherited.connect,
    available: () => destinations.available,
    successors: () => destinations.successors().length,
    explain: () => destinations.explain(),
    obstacle: () => destinations.obstacle(),
    suitable: (session) => destinations.suits(session),
    trusted: (session) => destinations.suits(session) && !hearsay.doubts(session),
    blames: (error) => blame.of(error),
    dead: (session) => hearsay.suspect(session.host, 'an idle client did not answer'),
    adopt: (client, callback) => adopt(ground, client, callback),
    held: (somebody) => ground.held(somebody),
  }
}

function adopt(ground: CheckoutGround, client: PoolClient, callback: (usable: boolean) => void): void {
  const { topology, roster, hearsay, follow, settings, clients } = ground
  const { leader, generation } = topology.state
  const host = leader && roster.host(leader.key)
  const news = (told: SessionNews): void => {
    const session = sessionOf(client)
    if (session !== undefined) hearsay.news(session, told)
  }
  if (host === undefined) return callback(false)
  const { timeoutMillis } = settings.times
  const wanted = { host, generation, attrs: follow.targetSessionAttrs, timeoutMillis }
  adoptClient(client, wanted, news, (usable) => {
    if (usable) clients.adopted(client)
    callback(usable)
  })
}
