/**
 * Whoever knows for sure which host leads, because leading depends on it: the store that holds Patroni's leader key, the
 * operator of a Kubernetes cluster, the control plane of a managed service. Given as the pool's `authority`, it has to
 * confirm the leader before it is used, and again and again.
 *
 * @example
 * ```ts
 * import { Pool, type Authority } from 'pg-leader'
 * // Patroni's REST interface on any member reads the leader key afresh; a key lives for `ttl`, at the least for what is left of it.
 * const patroni: Authority = {
 *   name: 'patroni',
 *   async leader(signal) {
 *     const response = await fetch('http://db1:8008/cluster', { signal })
 *     if (!response.ok) throw new Error(`patroni answered ${response.status}`)
 *     const { members } = (await response.json()) as { members: { role: string; host: string; port: number }[] }
 *     const leader = members.find(({ role }) => role === 'leader')
 *     return leader && { host: leader.host, port: leader.port, leaseMillis: 5000 }
 *   },
 * }
 * const pool = new Pool({ connectionString: 'postgres://app@db1,db2,db3/shop', authority: patroni })
 * await pool.query('select 1')
 * ```
 */
export interface Authority {
  /** What errors and logs call it. */
  readonly name: string
  /**
   * Who leads now? `undefined`: nobody does. Throw if it cannot be told now (the message is shown in errors, so keep secrets out
   * of it): what was said last then holds until its lease is over.
   *
   * @param signal - aborted when the answer is of no use any more: after the monitor's `timeoutMillis`, and when the pool ends.
   */
  leader(signal: AbortSignal): Promise<ConfirmedLeader | undefined>
}

/** The leader, as an {@link Authority} names it. */
export interface ConfirmedLeader {
  /** As the pool's list of hosts spells it: its `host`, or its `hostaddr`. */
  readonly host: string
  /** The port of that entry. */
  readonly port: number
  /**
   * How long this may be relied upon, in milliseconds from when the question was asked: nobody else is made the leader before
   * that. It is asked for again when a third of it is over. When it is over, nothing is sent to that host any more.
   */
  readonly leaseMillis: number
}
