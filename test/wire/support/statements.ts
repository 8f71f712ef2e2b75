import type pg from 'pg'
import type { FakeServer } from './fake-server'
import type { Stage } from './stage'

/** How pg sends a statement: by the simple protocol, the extended one, or prepared under a name. */
export const protocols = {
  simple: {},
  extended: { values: ['v'] as string[] },
  named: { values: ['v'] as string[], name: 'n' },
} as const

export type Protocol = keyof typeof protocols

/** What a caller declares of a statement, which decides what is done about a lost one. */
export const kinds = {
  write: { text: 'insert into t values (1) returning n' },
  'readOnly read': { text: 'select n from t', readOnly: true },
  'idempotent write': { text: 'insert into t values (1) on conflict do nothing returning n', idempotent: true },
  /** It may commit inside, so that no declaration makes it one that can be sent again. */
  'idempotent CALL': { text: 'call f(1)', idempotent: true },
} as const

export type Kind = keyof typeof kinds

/** Matches the text of every kind. */
export const anyStatement = /^(insert|select n|call)/

export interface Sent {
  readonly pool: pg.Pool
  readonly server: FakeServer
  readonly kind: Kind
  readonly protocol: Protocol
  /** pg's options of a query. */
  readonly more?: object
}

/** Sends a statement by `pool.query`: what became of it, and how often it arrived. */
export async function send(stage: Stage, { pool, server, kind, protocol, more }: Sent): Promise<string> {
  const query: pg.QueryConfig = { ...kinds[kind], ...protocols[protocol], ...more }
  const arrivals = server.statements.length
  const outcome = await stage.outcome((callback) => {
    // Both forms have their own way through the library.
    if (protocol === 'extended') pool.query(query, callback)
    else pool.query(query).then((result) => callback(undefined, result), callback)
  })
  return `${outcome}, sent ${server.statements.length - arrivals}×`
}

/** What becomes of every kind of statement by every protocol, each on a stage set of its own, keyed `kind, protocol`. */
export async function everyWay(
  run: (kind: Kind, protocol: Protocol) => Promise<string>,
): Promise<Record<Kind, Record<Protocol, string>>> {
  const found = {} as Record<Kind, Record<Protocol, string>>
  const runs = Object.keys(kinds).flatMap((kind) =>
    Object.keys(protocols).map(async (protocol) => {
      const outcome = await run(kind as Kind, protocol as Protocol)
      ;(found[kind as Kind] ??= {} as Record<Protocol, string>)[protocol as Protocol] = outcome
    }),
  )
  await Promise.all(runs)
  return found
}
