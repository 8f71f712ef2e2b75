import createDebug from 'debug'
import type { Debugger } from 'debug'

/**
 * One namespace a room: `DEBUG=pg-leader:*` tells the story of a failover in a page. Nothing secret is ever logged:
 * no connection string, no password, no bind value, no statement text.
 */
export function createLog(room: 'client' | 'execution' | 'facade' | 'monitor' | 'pool' | 'topology'): Debugger {
  return createDebug(`pg-leader:${room}`)
}
