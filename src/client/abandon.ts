import type { Client } from 'pg'
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
  process.nextTick(() => client.emit('end'))
}
