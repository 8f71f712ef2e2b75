import type { Client } from 'pg'
import { after } from '../runtime/timer'
import type { Clients } from './clients'

/** Options of `pool.pause()`. */
export interface PauseOptions {
  /** How long to wait for work in flight, in milliseconds. Default: for ever. */
  readonly timeoutMillis?: number
  /** Checked-out clients not to wait for: one that LISTENs, say. */
  readonly ignore?: Iterable<Client>
}

/** Resolves when every checked-out client but the ignored ones has been released. Rejects when the time is over. */
export function whenIdle(
  clients: Clients,
  { timeoutMillis, ignore = [] }: PauseOptions,
  onResume: (resumed: () => void) => void = () => undefined,
): Promise<void> {
  const ignored = new Set(ignore)
  const busy = (): number => [...clients.busy].filter((client) => !ignored.has(client)).length
  if (busy() === 0) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      timer?.cancel()
      stop()
      settle()
    }
    // A tick later: pg-pool gives a client to whoever waits in its queue before it comes to rest.
    const stop = clients.onRelease(() => process.nextTick(() => busy() === 0 && finish(resolve)))
    onResume(() => finish(() => reject(new Error('pause(): the pool was resumed before every client had come back'))))
    const expired = (): void => {
      const message = `pause(): ${busy() === 1 ? '1 client is' : `${busy()} clients are`} still checked out after ${timeoutMillis} ms (timeoutMillis); the pool goes on`
      finish(() => reject(new Error(message)))
    }
    const timer = timeoutMillis === undefined ? undefined : after(timeoutMillis, expired, { ref: true })
  })
}
