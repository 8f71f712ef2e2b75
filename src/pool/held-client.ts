import type { Client } from 'pg'
import { captureContext } from '../runtime/context'
import { sessionOf } from './session'
import type { CheckoutCallback } from './ticket'

type Callback = (...told: unknown[]) => unknown

/** The client that is called back with is the application's until it is released. */
export function handOut(callback: CheckoutCallback): CheckoutCallback {
  return (error, client, done) => {
    const session = client && sessionOf(client)
    if (session !== undefined) session.held = true
    callback(error, client, done)
  }
}

/**
 * What the application asks of a client that it holds, with its callback bound to where it is now: pg calls back in the context of a socket,
 * which is that of whoever had it connected. What pools ask for themselves is left as it is.
 */
export function fromHere(client: Client, args: readonly unknown[]): readonly unknown[] {
  const place = typeof args[1] === 'function' ? 1 : 2
  const callback = args[place]
  if (typeof callback !== 'function') return args
  const session = sessionOf(client)
  const context =
    session?.held === true || session?.ownTransaction === true ? captureContext('pg-leader.client') : undefined
  if (context === undefined) return args
  let told = false
  const bound: Callback = (...all) => {
    if (!told) context.emitDestroy()
    told = true
    return context.runInAsyncScope(callback as Callback, client, ...all)
  }
  return args.map((arg, index) => (index === place ? bound : arg))
}
