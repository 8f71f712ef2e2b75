import type { Client } from 'pg'
import { after } from '../runtime/timer'
import { propertiesOf } from './pg-internals'

/**
 * Leaves a client that found no host as pg leaves one whose only host failed: it cannot be used again, queries that were
 * queued get the error, `end` is emitted. Where pg would let a later query wait for ever, it is refused.
 */
export function abandon(client: Client, error: Error): void {
  const state = propertiesOf(client) as { _errorAllQueries?: (error: Error) => void } & Record<string, unknown>
  state['_connectionError'] = true
  state['_queryable'] = false
  state['_ended'] = true
  state._errorAllQueries?.(error)
  // As in pg, where the socket closes some time after the failure: whoever awaits `connect` has seen its rejection.
  after(0, () => client.emit('end'), { ref: true })
}
