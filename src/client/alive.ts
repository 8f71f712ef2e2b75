import type { Client } from 'pg'
import { connectionOf } from './pg-internals'
import { limit } from '../runtime/timer'

/**
 * Asks an idle, connected client whether its server still answers: a bare Sync, answered by ReadyForQuery, which is kept
 * from pg so that neither a span nor a `drain` event comes of it. ParameterStatus and notices that come along are heard
 * as ever. Calls back once: with `true` for an answer in time, else with `false`, the client being good for nothing then.
 */
export function checkAlive(client: Client, timeoutMillis: number, callback: (alive: boolean) => void): void {
  const connection = connectionOf(client)
  const emit = connection.emit
  let open = true
  const settle = (alive: boolean): void => {
    if (!open) return
    open = false
    timer.cancel()
    connection.emit = emit
    connection.removeListener('end', dead)
    connection.removeListener('error', dead)
    callback(alive)
  }
  const dead = (): void => settle(false)
  const timer = limit(timeoutMillis, dead)

  connection.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event !== 'readyForQuery') return Reflect.apply(emit, connection, [event, ...args])
    settle(true)
    return true
  }
  connection.on('end', dead)
  connection.on('error', dead)
  if (connection.stream.destroyed || !connection.stream.writable) process.nextTick(dead)
  else connection.sync()
}
