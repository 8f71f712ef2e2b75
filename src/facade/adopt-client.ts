import type { Client } from 'pg'
import { checkAlive } from '../client/alive'
import type { ResolvedHost } from '../client/conninfo/follow-options'
import { connectionOf } from '../client/pg-internals'
import { observeSession } from '../client/session-news'
import type { SessionNews } from '../client/session-news'
import type { TargetSessionAttrs } from '../core/selection/target-session-attrs'
import { mismatch } from '../core/selection/target-session-attrs'
import { beginSession } from '../pool/session'
import { asText } from '../runtime/as-text'
import { now } from '../runtime/clock'

/** Answered in the server's text, whatever type parsers the application has. */
const question = {
  text: `select pg_is_in_recovery() as recovery, current_setting('default_transaction_read_only') as read_only`,
  types: asText,
}

/** What a client must be connected to, to be of use. */
interface Wanted {
  readonly host: ResolvedHost
  readonly generation: number
  readonly attrs: TargetSessionAttrs
  readonly timeoutMillis: number
}

/**
 * Takes over a client that was connected before its pool was wrapped: it stays if it is connected to the host that is
 * followed now, answers, and says itself that it is what is wanted.
 */
export function adoptClient(
  client: Client,
  { host, generation, attrs, timeoutMillis }: Wanted,
  news: (told: SessionNews) => void,
  callback: (usable: boolean) => void,
): void {
  const { host: name, port } = client
  if ((name !== host.host && name !== host.hostaddr) || port !== host.port) return callback(false)
  checkAlive(client, timeoutMillis, (alive) => {
    if (!alive) return callback(false)
    client.query<{ recovery: string; read_only: string }>(question, (error: Error | null, result) => {
      const row = error ? undefined : result.rows[0]
      const role = row && { inHotStandby: row.recovery === 't', defaultTransactionReadOnly: row.read_only === 'on' }
      if (role === undefined || mismatch(attrs, role) !== undefined) return callback(false)
      beginSession(client, host.key, generation, now())
      observeSession(connectionOf(client), new Map(), news)
      callback(true)
    })
  })
}
