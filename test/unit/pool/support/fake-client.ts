import { EventEmitter } from 'node:events'
import type { PoolClient } from 'pg'
import { vi } from 'vitest'
import { beginSession } from '../../../../src/pool/session'
import type { Session } from '../../../../src/pool/session'

/** As much of a connected client as checkout and retirement touch. */
export class FakeClient extends EventEmitter {
  readonly release = vi.fn()
  readonly stream = Object.assign(new EventEmitter(), { destroyed: false, writable: true, destroy: vi.fn() })
  readonly connection = Object.assign(new EventEmitter(), { stream: this.stream, sync: vi.fn() })
  _ending = false

  /** What pg's types call it. */
  get asPoolClient(): PoolClient {
    return this as unknown as PoolClient
  }

  /** The server answers the Sync of an alive check. */
  answer(): void {
    this.connection.emit('readyForQuery')
  }
}

/** A client that was dialled by the pool: it has a session. */
export function dialled(host = 'a:1', generation = 1): { client: FakeClient; session: Session } {
  const client = new FakeClient()
  return { client, session: beginSession(client.asPoolClient, host, generation, performance.now()) }
}
