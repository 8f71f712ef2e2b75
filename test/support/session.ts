import { Client } from 'pg'
import { CREDENTIALS } from './template'

/** Where a server listens. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** Runs `work` with a fresh, plain connection of `pg` to one server, and closes it. */
export async function withClient<T>({ host, port }: Address, work: (client: Client) => Promise<T>): Promise<T> {
  // Everything explicit: PG* variables of the test process are not meant for us.
  const client = new Client({
    ...CREDENTIALS,
    host,
    port,
    ssl: false,
    application_name: 'test/support',
    // A frozen server lets the kernel accept and never answers.
    connectionTimeoutMillis: 20_000,
  })
  // The server may be killed under us; the query then rejects, and that is news enough.
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}
