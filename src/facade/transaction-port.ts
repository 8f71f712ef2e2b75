import type { Client, PoolClient } from 'pg'
import type { Position } from '../core/selection/position'
import type { CheckedOut, TransactionPort } from '../execution/transaction'
import { abortReason } from '../pool/checkout-errors'
import { cutSocket } from '../pool/session'
import type { Session } from '../pool/session'
import { beginCall, resume } from '../pool/ticket'
import type { Call, CheckoutCallback } from '../pool/ticket'
import { now } from '../runtime/clock'
import { Scope } from '../runtime/scope'

/** What transactions need of a pool, whether it follows somebody or not. */
export interface TransactionSource {
  /** A client for this call, by the pool's own `connect`. */
  connect(call: Call, callback: CheckoutCallback): void
  /** The same, of a host that is read from and has come so far. */
  connectReader?(call: Call, callback: CheckoutCallback, after: Position | undefined): void
  /** The session of a client that was checked out; begun now if it has none. */
  session(client: Client): Session
}

type Rest = Omit<TransactionPort, 'checkout' | 'leader' | 'scope'>

/** The transactions of one pool. */
export function createTransactionPort(source: TransactionSource, rest: Rest): TransactionPort {
  const checkOut = (call: Call, connect: (callback: CheckoutCallback) => void): Promise<CheckedOut> =>
    new Promise((resolve, reject) => {
      const { signal } = call
      const aborted = (): void => reject(abortReason(signal as AbortSignal))
      if (signal?.aborted === true) return aborted()
      signal?.addEventListener('abort', aborted, { once: true })
      connect((error, client, done) => {
        signal?.removeEventListener('abort', aborted)
        if (client === undefined) return reject(error ?? new Error('there is no client'))
        // Nobody waits for it any more.
        if (signal?.aborted === true) return done?.()
        // Of a pool of one host nobody else listens: an end between two statements must not end the process.
        client.on('error', ignored)
        resolve({ client, session: source.session(client), release: (broken) => giveBack(client, done, broken) })
      })
    })
  const checkout = (call: Call): Promise<CheckedOut> => checkOut(call, (told) => source.connect(call, told))
  const { connectReader } = source
  const own = {
    checkout,
    ...(connectReader && {
      checkoutReader: (call: Call, after: Position | undefined) =>
        checkOut(call, (told) => connectReader(call, told, after)),
    }),
    scope: new Scope(),
    async leader() {
      const call = beginCall(now())
      // Somebody's COMMIT depends on it: it is not refused because too many wait.
      resume(call, now())
      const { client, session, release } = await checkout(call)
      return { client, host: session.host, release }
    },
  }
  return Object.defineProperties(own, Object.getOwnPropertyDescriptors(rest)) as typeof own & Rest
}

/** What may hang is destroyed at once: pg-pool would wait for the other side to close it. */
function giveBack(client: PoolClient, done: ((release?: boolean) => void) | undefined, broken: boolean): void {
  client.removeListener('error', ignored)
  done?.(broken)
  if (broken) cutSocket(client)
}

/** It is told to whoever waits for a statement, or finds out with the next. */
function ignored(): void {
  // Nobody else needs to know.
}
