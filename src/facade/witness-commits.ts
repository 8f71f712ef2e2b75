import type { Client } from 'pg'
import { connectionOf } from '../client/pg-internals'
import { commitWitnessed, isWitnessable } from '../execution/commit'
import type { CommitPort } from '../execution/commit'
import type { TransactionPort } from '../execution/transaction'
import { asText, isUnreadable, readServerAnswer, serverQuestion } from '../execution/witness'
import { serverCode } from '../core/retry/sqlstate'
import type { ClientOwner } from '../pool/bound-client'
import { cutSocket, sessionOf } from '../pool/session'
import type { Session } from '../pool/session'
import { createLog } from '../runtime/log'
import { after } from '../runtime/timer'

const log = createLog('facade')

type Callback = (error: unknown, result?: unknown) => void

/**
 * `outcome: 'witness'`: every client of a pool sends the COMMITs of whoever holds it with a witness. Its new sessions are
 * asked what their server is before anybody gets them, so that no COMMIT can fail for that.
 */
export function witnessCommits(
  port: () => TransactionPort,
  leader: CommitPort['leader'],
  limitMillis: number,
): Required<Pick<ClientOwner, 'prepare' | 'intercept'>> {
  const createPort = (): CommitPort => {
    const own = port()
    return {
      leader,
      isInTransaction: (session) => session.transactionStatus === 'T' && !own.witnessless,
      unknown: () => own.story.unknown(),
      acknowledged: (session, witness) => own.acknowledged.add(session, witness, undefined),
      get evidence() {
        return own.evidence
      },
      get ending() {
        return own.ending
      },
      lookUpMillis: own.lookUpMillis,
    }
  }
  return {
    async prepare(session) {
      const { client } = session
      // Before pg hears of it, and sends what is next in its queue.
      connectionOf(client).prependListener('readyForQuery', ({ status }: { readonly status?: string }) => {
        session.transactionStatus = status
      })
      const limit = after(limitMillis, () => cutSocket(client))
      try {
        const { rows } = await client.query<{ server: string | null }>({ text: serverQuestion, types: asText })
        readServerAnswer(session, rows[0]?.server)
      } catch (error) {
        if (!isUnreadable(serverCode(error))) throw error
        if (!port().witnessless) log('%s: %s; COMMIT goes without a witness', session.host, (error as Error).message)
        port().witnessless = true
      } finally {
        limit.cancel()
      }
    },
    intercept(client, args, send) {
      const [query, values] = args
      const session = sessionOf(client)
      // In a pipeline nobody knows the state in which a COMMIT will be looked at.
      if (session === undefined || session.ownTransaction || isPipelined(client) || !isWitnessable(query, values))
        return undefined
      const told = args.find((arg): arg is Callback => typeof arg === 'function')
      const commit = (callback: Callback): void => commitWitnessed(createPort(), session, query, send, callback)
      if (told !== undefined) {
        commit(told)
        return { returned: undefined }
      }
      return { returned: promised(client, commit) }
    },
  }
}

function promised(client: Client, run: (callback: Callback) => void): Promise<unknown> {
  const { _Promise: Chosen } = client as unknown as { readonly _Promise: PromiseConstructor }
  return new Chosen((resolve, reject: (reason: unknown) => void) => {
    run((error, result) => (error ? reject(error) : resolve(result)))
  })
}

function isPipelined(client: Client): boolean {
  return (client as unknown as { readonly pipeline?: boolean }).pipeline === true
}

/** A client of a pool's class, outside of the pool: the one whose COMMIT is in doubt may be all that the pool may have. */
export function leaderOutside(create: () => Client): CommitPort['leader'] {
  return async () => {
    const client = create()
    client.on('error', () => undefined)
    await client.connect()
    const { host } = sessionOf(client) as Session
    const release = (broken: boolean): void => {
      if (broken) cutSocket(client)
      else void client.end().catch(() => undefined)
    }
    return { client: client as never, host, release }
  }
}
