import type { Client } from 'pg'
import { connectionOf } from './pg-internals'
import type { RawConnection } from './pg-internals'

type Listener = (...args: unknown[]) => void

/** `once` wraps its listener. */
type RawListener = Listener & { readonly listener?: Listener }

const early = new WeakMap<Client, readonly (readonly [string | symbol, RawListener])[]>()

/**
 * What a user listens to on the connection of a client that has not been connected yet is listened to on every connection
 * the client gets while it looks for a host. The first call of a client decides: later ones find pg's listeners there.
 */
export function carryOver(client: Client, to: RawConnection): void {
  const from = connectionOf(client)
  let listeners = early.get(client)
  if (listeners === undefined) early.set(client, (listeners = listenersOf(from)))
  if (from === to) return
  // A class that listens in its constructor did so on `to` as well, on behalf of a client that nobody has.
  for (const [event] of listenersOf(to)) to.removeAllListeners(event)
  for (const [event, listener] of listeners) {
    if (listener.listener === undefined) to.on(event, listener)
    else to.once(event, listener.listener)
  }
}

function listenersOf(connection: RawConnection): readonly (readonly [string | symbol, RawListener])[] {
  // A ready-made connection of the user's need not be more than what pg asks of it.
  const events = connection.eventNames?.() ?? []
  return events
    .filter((event) => event !== 'newListener') // pg's own
    .flatMap((event) => connection.rawListeners(event).map((listener) => [event, listener as RawListener] as const))
}

/**
 * Notes `ref` and `unref` of a client that has no connection yet. Returns what makes the connection it has by now alike.
 */
export function rememberReference(client: Client): () => void {
  const placeholder = connectionOf(client)
  let last: 'ref' | 'unref' | undefined
  for (const name of ['ref', 'unref'] as const) {
    const set = placeholder[name]
    placeholder[name] = () => {
      last = name
      set.call(placeholder)
    }
  }
  return () => {
    const connection = connectionOf(client)
    if (last !== undefined && connection !== placeholder) connection[last]()
  }
}
