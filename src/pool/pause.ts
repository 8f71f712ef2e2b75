import type { Client } from 'pg'
import { ConnInfoError } from '../errors'
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
  options: PauseOptions,
  onResume: (resumed: () => void) => void = () => undefined,
): Promise<void> {
  const { timeoutMillis, ignore } = checked(options)
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

/** @throws {@link ConnInfoError} naming the option: what is no number would be no limit at all. */
function checked(options: unknown): PauseOptions {
  if (typeof options !== 'object' || options === null) throw new ConnInfoError('pause(): options must be an object')
  const { timeoutMillis, ignore = [] } = options as PauseOptions
  if (timeoutMillis !== undefined && !(typeof timeoutMillis === 'number' && timeoutMillis >= 0)) {
    throw new ConnInfoError('pause(): timeoutMillis must be a number of milliseconds, of at least 0')
  }
  if (typeof (ignore as Partial<Iterable<Client>> | null)?.[Symbol.iterator] !== 'function') {
    throw new ConnInfoError('pause(): ignore must be a list of clients')
  }
  return { ...(timeoutMillis !== undefined && { timeoutMillis }), ignore }
}
