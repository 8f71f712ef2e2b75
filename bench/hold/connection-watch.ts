import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import type { Cluster, Host } from '../../test/support'
import { countText } from './statements'

/** Asks every server over and over how many connections the pool has there. */
export class ConnectionWatch {
  most = 0
  looks = 0
  #stopped = false
  readonly #loops: Promise<unknown>

  constructor(cluster: Cluster) {
    this.#loops = Promise.all(cluster.hosts.map((host) => this.#watch(cluster, host)))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#loops
  }

  async #watch(cluster: Cluster, host: Host): Promise<void> {
    let client: Client | undefined
    while (!this.#stopped) {
      try {
        client ??= await open(cluster.connectionStringFor(host))
        const { rows } = await client.query<{ connections: number }>(countText)
        this.looks += 1
        this.most = Math.max(this.most, rows[0]?.connections ?? 0)
        await sleep(5)
      } catch {
        // It was killed, which is what this is all about.
        client?.end().catch(() => undefined)
        client = undefined
        await sleep(50)
      }
    }
    await client?.end().catch(() => undefined)
  }
}

async function open(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString, application_name: 'bench-hold-watch' })
  client.on('error', () => undefined)
  await client.connect()
  return client
}
