import type { Client } from 'pg'
import { refuse } from '../execution/refuse'
import type { Answer } from '../pool/bound-client'
import { readRoute, whyNotHeld } from './read-request'

/** What takes over a statement on a client that somebody holds to read. */
type Refusal = (client: Client, args: readonly unknown[]) => Answer | undefined

/** What such a client is not the one for is refused, in the form that its holder used: what lets it write, and what is the leader's. */
export const refuseHeld = refuseBy(whyNotHeld)

/** Where there is one server only what lets it write: everything else means the same there. */
export const refuseWrites = refuseBy((query) => {
  const route = readRoute(query)
  return route instanceof Error ? route : undefined
})

function refuseBy(whyNot: (query: unknown) => Error | undefined): Refusal {
  return (client, args) => {
    const why = whyNot(args[0])
    if (why === undefined) return undefined
    return { returned: refuse(why, args, (client as unknown as { readonly _Promise: PromiseConstructor })._Promise) }
  }
}
