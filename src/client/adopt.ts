import { EventEmitter } from 'node:events'
import type { Client } from 'pg'
import { carryOver } from './carry-over'
import { connectionOf, propertiesOf } from './pg-internals'

type ClientClass = typeof Client

/** What belongs to the user's client and not to one connection of it: listeners, queued queries, type parsers. */
const kept = new Set([
  '_events',
  '_eventsCount',
  '_maxListeners',
  'domain',
  '_queryQueue',
  'queryQueue', // its name before pg 8.17
  '_sentQueryQueue',
  '_types',
])

/** What pg adds to a client while it connects; a failed attempt must not leave it to the next. */
const added: readonly (readonly [string, unknown])[] = [
  ['_connectionCallback', null],
  ['connectionTimeoutHandle', undefined],
  ['saslSession', null],
  ['readyForQuery', false],
]

const stateKeys = new WeakMap<object, readonly string[]>()

/** pg's own Client class under whatever was derived from it: the one that extends EventEmitter directly. */
function pgClientClass(Base: ClientClass): ClientClass {
  let found: object = Base
  for (;;) {
    const parent: unknown = Object.getPrototypeOf(found)
    if (parent === EventEmitter || typeof parent !== 'function') return found as ClientClass
    found = parent
  }
}

/**
 * The properties pg's own constructor makes, so that fields of a user's subclass stay as they are. Read from an instance
 * that is given a connection, because making a real one would make a socket.
 */
function connectionStateKeys(Base: ClientClass): readonly string[] {
  const root = pgClientClass(Base)
  let keys = stateKeys.get(root)
  if (keys === undefined) {
    const config = { host: 'localhost', port: 5432, ssl: false, sslnegotiation: 'postgres', connection: {} } as const
    keys = Object.getOwnPropertyNames(new root(config)).filter((key) => !kept.has(key))
    stateKeys.set(root, keys)
  }
  return keys
}

/**
 * Makes `client` what `fresh`, a client of the same class that never connected, is: connection, parameters, flags.
 * Listeners, queued queries and type parsers of `client` stay, and what was set on its connection before the first time.
 * Nothing is deleted, since that would turn a client into a slow object for the rest of its life.
 */
export function adopt(client: Client, fresh: Client, Base: ClientClass): void {
  const { stream } = connectionOf(client)
  carryOver(client, connectionOf(fresh))
  const to = propertiesOf(client)
  const from = propertiesOf(fresh)
  for (const key of connectionStateKeys(Base)) {
    const descriptor = Object.getOwnPropertyDescriptor(from, key)
    if (descriptor === undefined) continue
    // An existing property is assigned, which keeps `password` as hidden as pg made it.
    if (Object.hasOwn(to, key)) to[key] = from[key]
    else Object.defineProperty(to, key, descriptor)
  }
  for (const [key, value] of added) if (Object.hasOwn(to, key)) to[key] = value
  // A stream that a function of the user's made may be connected already, and nobody else knows of it.
  if (stream !== connectionOf(client).stream) stream?.destroy()
}
