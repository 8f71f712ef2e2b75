/**
 * Lists the hosts of a cluster: a control plane, a service registry, whatever knows which servers there are now. Given in
 * the pool's `discovery`, it is asked when the pool begins to watch its hosts, then once every `monitor.intervalMillis`, and at once
 * when the leader is lost.
 *
 * It lists, and the servers' own answers decide: a host that it names is written to only if it is found to be the leader, and
 * the leader is followed although it is named no more, until another one leads or it is lost. An answer that cannot be
 * used as a whole, or is empty, changes nothing.
 *
 * @example
 * ```ts
 * import { Pool, type Discovery } from 'pg-leader'
 * // Patroni's REST interface on any member lists them all; what an operator says of a member's tags chooses who reads there.
 * const patroni: Discovery = {
 *   name: 'patroni',
 *   async hosts(signal) {
 *     const response = await fetch('http://db1:8008/cluster', { signal })
 *     if (!response.ok) throw new Error(`patroni answered ${response.status}`)
 *     type Member = { host?: string; port?: number; tags?: Record<string, unknown> }
 *     const { members } = (await response.json()) as { members: Member[] }
 *     return members
 *       .filter(({ host }) => host !== undefined)
 *       .map(({ host, port, tags = {} }) => ({
 *         host,
 *         port,
 *         weight: tags.noloadbalance === true ? 0 : 1,
 *         tags: Object.fromEntries(Object.entries(tags).map(([name, value]) => [name, String(value)])),
 *       }))
 *   },
 * }
 * const pool = new Pool({ connectionString: 'postgres://app@db1,db2,db3/shop', discovery: [patroni] })
 * await pool.query('select 1')
 * ```
 */
export interface Discovery {
  /** What logs call it. */
  readonly name: string
  /**
   * The hosts that there are now. Throw if that cannot be told (the message is logged, so keep secrets out of it): what was
   * said last then holds.
   *
   * @param signal - aborted when the answer is of no use any more: after the monitor's `timeoutMillis`, and when the pool ends.
   */
  hosts(signal: AbortSignal): Promise<readonly HostEntry[]>
}

/**
 * One host, as a {@link Discovery} lists it; at the least `host` or `hostaddr`. User, password and TLS are those of the pool, and are
 * given to whatever host is named here.
 */
export interface HostEntry {
  /** Name for TLS and for humans, and dialled unless `hostaddr` is given; a path is the directory of a Unix socket. */
  readonly host?: string | undefined
  /** The numeric address to dial in place of `host`. */
  readonly hostaddr?: string | undefined
  /** Default: the pool's `port` if that is one, else 5432. */
  readonly port?: number | string | undefined
  /** How much of the reads it gets, against the others. 0: only where there is nobody else. Default: 1. */
  readonly weight?: number | undefined
  /** What is said of it, such as `{ zone: 'a' }`, for the option `readOnly.tags`. Default: nothing. */
  readonly tags?: Readonly<Record<string, string>> | undefined
}
