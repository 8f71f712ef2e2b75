import type pg from 'pg'
import type { Client } from 'pg'
import { defaultConnectTimeoutMillis } from '../client/conninfo/follow-options'
import type { FollowOptions } from '../client/conninfo/follow-options'
import { kindOf } from '../client/conninfo/given-options'
import { channelFault } from '../core/listen/channel'
import { isRefusedForGood } from '../core/listen/refusal'
import { connectFailureIsAboutCaller } from '../core/retry/connect-failure'
import { serverCode } from '../core/retry/sqlstate'
import { ConnInfoError, isConnInfoError } from '../errors'
import type { Blame } from '../pool/blame'
import { dialsFailed, holdExpired } from '../pool/checkout-errors'
import { longestHold } from '../pool/deadlines'
import type { Destinations } from '../pool/destinations'
import type { ListenPort } from '../pool/listen-port'
import type { LivingTopology } from '../topology/living-topology'
import type { Settings } from './settings'

/** Where nobody watches the host: how often an idle session is asked for a sign of life, and how long that may take. */
const unwatched = { intervalMillis: 10_000, timeoutMillis: 10_000 }

/** @throws {@link ConnInfoError} naming what cannot be used. */
export function checkListen(channel: unknown, handler: unknown): void {
  const fault = channelFault(channel)
  if (fault !== undefined) throw new ConnInfoError(`listen: the name of a channel ${fault}`)
  if (typeof handler !== 'function') {
    throw new ConnInfoError(`listen: the handler must be a function, not ${kindOf(handler)}`)
  }
}

/** For a pool that follows nobody: the first answer is the answer, as with all that such a pool is asked for. */
export function plainListenPort(pool: pg.Pool, follow: FollowOptions): ListenPort {
  const { Client } = pool as unknown as { Client: new (options: object) => Client }
  const { connectTimeoutMillis = defaultConnectTimeoutMillis } = follow
  return {
    ready: () => true,
    createClient: () => new Client(pool.options),
    connectMillis: connectTimeoutMillis,
    answerMillis: connectTimeoutMillis,
    alive: unwatched,
    isFinal: () => true,
    holdMillis: Infinity,
    expired: (_waitedMillis, cause) => cause as Error,
  }
}

/** What a pool that follows has for its session that listens. */
export interface ListenGround {
  readonly pool: pg.Pool
  readonly follow: FollowOptions
  readonly settings: Settings
  readonly topology: LivingTopology
  readonly destinations: Destinations
  readonly blame: Blame
  /** Of clients that go to the leader. */
  readonly Client: typeof Client
}

/** For a pool that follows. */
export function followingListenPort(ground: ListenGround): ListenPort {
  const { pool, follow, settings, topology, destinations, blame } = ground
  const { intervalMillis, timeoutMillis } = settings.times
  const ready = (): boolean => {
    topology.mindLease()
    return topology.targets('read-write').length > 0
  }
  const port = {
    limits: settings.limits,
    explain: () => topology.explain('read-write'),
    obstacle: () => destinations.obstacle(),
  }
  return {
    ready,
    createClient: () => new ground.Client(pool.options),
    connectMillis: Infinity,
    answerMillis: follow.connectTimeoutMillis ?? defaultConnectTimeoutMillis,
    // A session that died without a word is found out about as soon as its host would be.
    alive: { intervalMillis: Math.min(intervalMillis, unwatched.intervalMillis), timeoutMillis },
    isFinal(error) {
      if (blame.of(error) !== 'caller') return false
      if (isConnInfoError(error)) return true
      const code = serverCode(error)
      return connectFailureIsAboutCaller(error as Error) || (code !== undefined && isRefusedForGood(code))
    },
    holdMillis: longestHold(settings.limits),
    expired: (waitedMillis, cause) =>
      ready() && cause !== undefined ? dialsFailed(port, waitedMillis, cause) : holdExpired(port, waitedMillis, false),
  }
}
