import type { Client } from 'pg'
import { refuse } from '../execution/refuse'
import type { Answer } from '../pool/bound-client'
import { whyNotHeld } from './read-request'

/** What a client that somebody holds to read is not the one for is refused to him, in the form that he used. */
export function refuseHeld(client: Client, args: readonly unknown[]): Answer | undefined {
  const why = whyNotHeld(args[0])
  if (why === undefined) return undefined
  return { returned: refuse(why, args, (client as unknown as { readonly _Promise: PromiseConstructor })._Promise) }
}
