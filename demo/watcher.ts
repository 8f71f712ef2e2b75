import { Client } from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster, Host } from '../test/support'

/**
 * Watches one server without the library: a plain connection of `pg` that was opened before and survives the promotion.
 * A server that fails over is thus judged by somebody else than the pool under observation.
 */
export class Watcher {
  readonly #client: Client

  private constructor(client: Client) {
    this.#client = client
  }

  static async park(cluster: Cluster, host: Host): Promise<Watcher> {
    const client = new Client({ connectionString: cluster.connectionStringFor(host), application_name: 'demo watcher' })
    client.on('error', () => undefined)
    await client.connect()
    return new Watcher(client)
  }

  /** Asks every two milliseconds; the moment at which the first question was sent that found the server writable. */
  async writable(): Promise<number> {
    for (;;) {
      const at = performance.now()
      const { rows } = await this.#client.query<{ recovering: boolean }>('select pg_is_in_recovery() as recovering')
      if (rows[0]?.recovering === false) return at
      await sleep(2)
    }
  }

  /** How much WAL a standby has received. */
  async received(): Promise<bigint> {
    const text = "select (pg_last_wal_receive_lsn() - '0/0')::text as position"
    const { rows } = await this.#client.query<{ position: string | null }>(text)
    return BigInt(rows[0]?.position ?? 0)
  }

  async leave(): Promise<void> {
    await this.#client.end().catch(() => undefined)
  }
}
