import pg from 'pg'
import { resolveOptions } from '../client/conninfo/resolve-options'
import { hideClient } from '../client/hide-secrets'
import { HostWalk } from '../client/host-walk'
import { isBoundToOneHost } from '../client/one-host'
import { connectionOf } from '../client/pg-internals'
import type { TargetSessionAttrs } from '../core/selection/target-session-attrs'
import { ConnInfoError } from '../errors'
import { createLog } from '../runtime/log'
import { guardBytes } from '../runtime/guard-bytes'

const log = createLog('facade')

/** One entry of the `hosts` option. What is left out holds as for all hosts. */
export interface HostOptions {
  /** Name for TLS and for humans, and dialled unless `hostaddr` is given; a path is the directory of a Unix socket. */
  readonly host?: string | undefined
  /** The numeric address to dial in place of `host`. */
  readonly hostaddr?: string | undefined
  /** Default: 5432. */
  readonly port?: number | string | undefined
  /** Default: that of all hosts. */
  readonly user?: string | undefined
  /** A string, or a function that is asked for each connection. Default: that of all hosts, else the password file's. */
  readonly password?: pg.ClientConfig['password']
  /** As pg's option of this name, for this host. Default: that of all hosts. */
  readonly ssl?: pg.ClientConfig['ssl']
  /** Of a pool's reads: how much of them it gets, against the others. 0: only where there is nobody else. Default: 1. */
  readonly weight?: number | undefined
  /** Of a pool's reads: what is said of it, such as `{ zone: 'a' }`, for the option `readOnly.tags`. Default: nothing. */
  readonly tags?: Readonly<Record<string, string>> | undefined
}

/** All of pg's options of a client, and the hosts it may choose from. */
export interface ClientOptions extends Omit<pg.ClientConfig, 'port'> {
  /** One port for all hosts, or a list `'5432,5433'` that pairs with `host`. Default: 5432. */
  port?: number | string | undefined
  /** Numeric addresses to dial in place of `host`, which stays the name for TLS; one, or a list that pairs with `host`. */
  hostaddr?: string | undefined
  /** The hosts as objects; wins over `host` and over the connection string's. */
  hosts?: readonly HostOptions[] | undefined
  /** Default: `any` for one host, `read-write` for several (libpq: always `any`). */
  targetSessionAttrs?: TargetSessionAttrs | undefined
  /** Default: `disable`, in the order of the list. */
  loadBalanceHosts?: 'disable' | 'random' | undefined
}

type ConnectCallback = (error: Error | null, client?: pg.Client) => void

const hostWalk = Symbol('pg-leader.hostWalk')

/** A property and not a private field, which would throw behind a Proxy of the client. */
function walkOf(client: pg.Client): HostWalk | undefined {
  return (client as { [hostWalk]?: HostWalk })[hostWalk]
}

/**
 * `pg.Client` that may be given many hosts and connects to the first one that is what `targetSessionAttrs` asks for.
 * With one host and none of the options above it is exactly pg's.
 *
 * `connect()` walks over all addresses of all hosts. Each may take `connectionTimeoutMillis` (or `connect_timeout`; 10 s
 * if neither is given). It goes on after whatever is about the host (refused, reset, no answer, no such name, starting
 * up, too many connections, not the wanted role) and stops at what is about the caller: no or a wrong password, database or
 * right, unless the hosts have credentials of their own. Afterwards `host`, `port` and `connectionParameters` describe
 * the host that was taken. It does not move on its own when the leader does: that is what a Pool is for.
 *
 * `connect()` rejects with HostsUnreachableError, which has one entry an attempt; or with the attempt's own error, if
 * there was only one or it was about the caller.
 *
 * What is listened to on `client.connection` before `connect()` is heard of every host that is tried.
 *
 * @throws ConnInfoError from the constructor for options that cannot be used.
 * @example
 * ```ts
 * import { Client } from 'pg-leader'
 * const client = new Client('postgres://app@db1,db2,db3/shop?target_session_attrs=primary')
 * await client.connect()
 * console.log(client.host)
 * await client.end()
 * ```
 */
export class Client extends pg.Client {
  constructor(config?: string | ClientOptions) {
    if (isBoundToOneHost(config)) {
      super(config as pg.ClientConfig)
      return
    }
    const follow = resolveOptions(config)
    const [first] = follow.hosts
    if (follow.plain || first === undefined) {
      super(config as string | pg.ClientConfig)
      return
    }
    refuseReadyMade(config, follow.hosts.length)
    super(withoutStream(follow.clientOptions(first)))
    // Hidden, so that a client has the properties that pg's has.
    Object.defineProperty(this, hostWalk, { value: new HostWalk(this, pg.Client, follow) })
  }

  /** Connects to the first host that will do; in pg's promise form and in its callback form. */
  override connect(): Promise<this>
  /** Connects, and tells the callback. */
  override connect(callback: ((error: Error) => void) | ((error: null, client: pg.Client) => void)): void
  override connect(callback?: (error: never, client: never) => void): Promise<this> | void {
    const walk = walkOf(this)
    if (walk === undefined) {
      guardBytes(connectionOf(this)).lift()
      return Reflect.apply(super.connect, this, [callback]) as Promise<this> | void
    }
    const done = callback as ConnectCallback | undefined
    if (done) return walk.start((error) => (error ? done(error) : done(null, this)))
    return (walk.answer = promiseOfPg(this, () => super.connect(), walk) as Promise<this>)
  }

  /** Ends the connection. While `connect()` is still looking for a host it gives up, and that call is rejected. */
  override end(): Promise<void>
  /** Ends the connection, and tells the callback. */
  override end(callback: (error: Error) => void): void
  override end(callback?: (error: Error) => void): Promise<void> | void {
    walkOf(this)?.abort()
    return callback ? super.end(callback) : super.end()
  }

  /** As any emitter's, but an `error` that nobody listens to is logged and not thrown. */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event === 'error' && this.listenerCount('error') === 0) {
      log('a client lost its connection and nobody listens: %s', (args[0] as Error | undefined)?.message)
      return false
    }
    return super.emit(event, ...args)
  }

  static {
    hideClient(this.prototype)
  }
}

/**
 * The promise of pg's own `connect`, which differs from version to version in what it resolves to and may be of a class
 * the user chose. pg makes it around `_connect`, so for the length of that call `_connect` is the walk.
 */
function promiseOfPg(client: pg.Client, connect: () => Promise<unknown>, walk: HostWalk): Promise<unknown> {
  const inner = client as unknown as { _connect?: unknown }
  if (typeof inner._connect !== 'function') {
    return new Promise((resolve, reject) => {
      walk.start((error) => (error ? reject(error) : resolve(client)))
    })
  }
  const value = (callback: (error: Error | undefined) => void): void => {
    // Gone before the first dial, which goes through `_connect` as well.
    delete inner._connect
    walk.start(callback)
  }
  Object.defineProperty(inner, '_connect', { value, configurable: true, writable: true })
  return connect()
}

/** A function that makes streams is for the hosts that are dialled, and not for what stands in before. */
function withoutStream(options: pg.ClientConfig): pg.ClientConfig {
  return typeof options.stream === 'function' ? { ...options, stream: undefined } : options
}

/** A stream or connection that exists already leads to one server, whatever the list says. */
function refuseReadyMade(config: string | ClientOptions | undefined, hosts: number): void {
  if (hosts < 2 || typeof config !== 'object') return
  const { stream, connection } = config as { stream?: unknown; connection?: unknown }
  const name = connection ? 'connection' : stream && typeof stream !== 'function' ? 'stream' : undefined
  if (name === undefined) return
  const remedy = name === 'stream' ? 'give a function that makes a stream, or one host' : 'give one host'
  throw new ConnInfoError(`${name}: a ready-made ${name} leads to one host, but ${String(hosts)} are listed; ${remedy}`)
}
