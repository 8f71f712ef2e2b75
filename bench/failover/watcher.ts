import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { serve } from '../../test/support/child'
import { sharedNow } from '../support/clock'
import type { Target } from '../support/target'

/** When a server became writable, as somebody saw it who has nothing to do with the contender. Shared clock. */
export interface Writable {
  /** The last sign that it was not: in recovery, or not there at all. */
  readonly notBefore: number
  /** When the first question was sent that was answered with "not in recovery". */
  readonly at: number
}

/** The process that watches one server. */
export type WatcherProcess = {
  /** Watches this server from now on; resolves when a first answer is there. */
  watch(options: Target & { readonly port: number }): Promise<void>
  /** Resolves when the server, after having been seen as not writable, is. */
  writable(argument?: undefined): Promise<Writable>
  rest(argument?: undefined): void
}

const pauseMillis = 1

export function serveWatcher(): void {
  let watch: Watch | undefined
  serve({
    watch: (options) => {
      watch?.stop()
      watch = new Watch(options)
      return watch.begun
    },
    writable: () => watch?.writable ?? Promise.reject(new Error('nothing is watched')),
    rest: () => watch?.stop(),
  } satisfies WatcherProcess)
}

/** Asks over a session that was opened before, which survives a promotion; over new ones while the server is down. */
class Watch {
  readonly begun: Promise<void>
  readonly writable: Promise<Writable>
  readonly #options: Target & { readonly port: number }
  #begin = (): void => undefined
  #tell: (writable: Writable) => void = () => undefined
  #stopped = false

  constructor(options: Target & { readonly port: number }) {
    this.#options = options
    this.begun = new Promise((resolve) => (this.#begin = resolve))
    this.writable = new Promise((resolve) => (this.#tell = resolve))
    void this.#run()
  }

  stop(): void {
    this.#stopped = true
  }

  async #run(): Promise<void> {
    let client: Client | undefined
    let notBefore: number | undefined
    while (!this.#stopped) {
      const at = sharedNow()
      try {
        client ??= await this.#connect()
        const { rows } = await client.query<{ recovery: boolean }>('select pg_is_in_recovery() as recovery')
        if (rows[0]?.recovery !== false) notBefore = sharedNow()
        else if (notBefore !== undefined) {
          this.#tell({ notBefore, at })
          break
        }
        this.#begin()
      } catch {
        notBefore = sharedNow()
        client?.end().catch(() => undefined)
        client = undefined
      }
      await sleep(pauseMillis)
    }
    await client?.end().catch(() => undefined)
  }

  async #connect(): Promise<Client> {
    const { port, user, password, database } = this.#options
    const client = new Client({ host: '127.0.0.1', port, user, password, database })
    client.on('error', () => undefined)
    await client.connect()
    return client
  }
}
