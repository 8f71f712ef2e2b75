import type { Client } from 'pg'
import type { Answer } from '../pool/bound-client'
import { readRoute } from './read-request'

/** What would let a session write is refused to whoever holds a client that reads, in the form that he used. */
export function refuseWrites(client: Client, [query, ...rest]: readonly unknown[]): Answer | undefined {
  const route = readRoute(query)
  if (!(route instanceof Error)) return undefined
  const told = rest.find((each): each is (error: Error) => void => typeof each === 'function')
  if (told === undefined) {
    const { _Promise: Chosen } = client as unknown as { readonly _Promise: PromiseConstructor }
    return { returned: Chosen.reject(route) }
  }
  process.nextTick(told, route)
  return { returned: undefined }
}
