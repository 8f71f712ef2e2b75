import type { Client } from 'pg'
import { commitWitnessed, isWitnessable } from '../execution/commit'
import type { TransactionPort } from '../execution/transaction'
import { isRollback } from '../core/retry/statement'
import { isOutcomeUnknownError, isTransactionRolledBackError } from '../errors'
import type { ClientOwner } from '../pool/bound-client'
import { cutSocket, keepTransactionStatus, sessionOf } from '../pool/session'
import type { Session } from '../pool/session'
import { after } from '../runtime/timer'

type Callback = (error: unknown, result?: unknown) => void

/**
 * The option `outcome`: every client of a pool sends the COMMITs of whoever holds it with a witness, or a marker. Its new
 * sessions are asked for what that takes before anybody gets them, so that no COMMIT can fail for it.
 */
export function witnessCommits(
  port: TransactionPort,
  leader: TransactionPort['leader'],
  limitMillis: number,
): Required<Pick<ClientOwner, 'prepare' | 'intercept'>> {
  const commitPort = Object.create(port, { leader: { value: leader } }) as TransactionPort
  /** What became of transactions whose connection was lost with the answer to COMMIT. */
  const fates = new WeakMap<Session, unknown>()
  const commit = (session: Session, query: unknown, send: (query: object) => void, callback: Callback): void =>
    commitWitnessed(commitPort, session, query, send, (error, result) => {
      if (isOutcomeUnknownError(error) || isTransactionRolledBackError(error)) fates.set(session, error)
      callback(error, result)
    })
  return {
    async prepare(session) {
      const { client } = session
      keepTransactionStatus(session)
      const limit = after(limitMillis, () => cutSocket(client))
      try {
        await port.proof.greet(session)
      } finally {
        limit.cancel()
      }
    },
    intercept(client, args, send) {
      const [query, values] = args
      const session = sessionOf(client)
      // In a pipeline nobody knows the state in which a COMMIT will be looked at.
      if (session === undefined || session.ownTransaction || isPipelined(client)) return undefined
      let run: (callback: Callback) => void
      if (isWitnessable(query, values)) {
        run = (callback) => commit(session, query, (sent) => send(client, [sent]), callback)
      }
      // Who rolls back because COMMIT failed tells of the second error where there is one: let it be the first.
      else if (fates.has(session) && rollsBack(query)) {
        run = (callback) => process.nextTick(callback, fates.get(session))
      } else return undefined
      const told = args.find((arg): arg is Callback => typeof arg === 'function')
      if (told === undefined) return { returned: promised(client, run) }
      run(told)
      return { returned: undefined }
    },
  }
}

function rollsBack(query: unknown): boolean {
  const { text, submit } = (typeof query === 'string' ? { text: query } : (query ?? {})) as {
    text?: unknown
    submit?: unknown
  }
  return typeof text === 'string' && submit === undefined && isRollback(text)
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
export function leaderOutside(create: () => Client): TransactionPort['leader'] {
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
