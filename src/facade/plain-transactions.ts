import type pg from 'pg'
import type { Client } from 'pg'
import { connectionOf } from '../client/pg-internals'
import { observeSession } from '../client/session-news'
import { noEvidence } from '../core/outcome/evidence'
import type { TransactionPort } from '../execution/transaction'
import { WitnessProof } from '../execution/witness-proof'
import type { Clients } from '../pool/clients'
import { longestHold } from '../pool/deadlines'
import { beginSession, noteNews, sessionOf } from '../pool/session'
import type { Session } from '../pool/session'
import type { Call, CheckoutCallback } from '../pool/ticket'
import { now } from '../runtime/clock'
import { FailoverStory } from '../telemetry/failover-story'
import { createTransactionPort } from './transaction-port'

/**
 * Of a pool that follows nobody: there is nobody to hold callers, and nothing was seen that could prove anything. `host`: what its
 * server is called; `connect`: the pool's.
 */
export function plainTransactions(
  pool: pg.Pool,
  clients: Clients,
  host: string | undefined,
  connect: (callback: CheckoutCallback) => void,
): TransactionPort {
  const begin = (client: Client): Session => {
    const session = beginSession(client, host ?? client.host, 0, now())
    observeSession(connectionOf(client), new Map(), (news) => noteNews(session, news, now()))
    clients.adopted(client)
    return session
  }
  const source = {
    connect: (_call: Call, callback: CheckoutCallback) => connect(callback),
    session: (client: Client) => sessionOf(client) ?? begin(client),
  }
  return createTransactionPort(source, {
    stillSuitable: () => Promise.resolve(true),
    evidence: noEvidence,
    historySince: 0,
    timeline: undefined,
    get ending() {
      return pool.ending
    },
    lookUpMillis: longestHold({ connectionTimeoutMillis: undefined, failoverTimeoutMillis: undefined }),
    story: new FailoverStory(() => undefined),
    proof: new WitnessProof(),
  })
}
