import { AsyncLocalStorage } from 'node:async_hooks'
import { later } from '../core/selection/position'
import type { Position } from '../core/selection/position'
import type { HostKey } from '../core/topology/host'

/** A host that a session has read from, and which start of its server that was. */
export interface SeenHost {
  readonly host: HostKey
  readonly start: unknown
}

/** What one session has seen of one pool. */
export class SessionReads {
  /** What it has to see, as far as that is known. */
  #wanted: Position | undefined
  /** When something last happened on the leader, whose position is not known yet. */
  #wroteAt: number | undefined
  /** Clients on the leader that it holds: what they do may be committed at any moment. */
  #holds = 0
  /** Where it has read last: who stays there does not go back in time. */
  seen: SeenHost | undefined

  /** All it has to see: undefined if it has seen nothing yet. */
  get wanted(): Position | undefined {
    return this.#wanted
  }

  /** There may be something that it has to see and whose position is to be asked for. */
  get hasUnknown(): boolean {
    return this.#holds > 0 || this.#wroteAt !== undefined
  }

  /** Something was done on the leader: a statement has been answered there, a client was given back. */
  wrote(at: number): void {
    this.#wroteAt = at
  }

  /**
   * It holds a client on the leader now. The function that is returned says that it does no more, and at which position it has
   * committed, where that is known of all it has done there.
   */
  holds(): (at: number, committed: Position | undefined) => void {
    this.#holds += 1
    let held = true
    return (at, committed) => {
      if (!held) return
      held = false
      this.#holds -= 1
      if (committed === undefined) this.#wroteAt = at
      else this.#wanted = later(this.#wanted, committed)
    }
  }

  /** The leader's position, asked for at this moment or later: whatever was done before lies behind it. */
  learned(position: Position, askedAt: number): void {
    this.#wanted = later(this.#wanted, position)
    if (this.#wroteAt !== undefined && this.#wroteAt <= askedAt) this.#wroteAt = undefined
  }
}

type Stay = WeakMap<object, SessionReads>

let storage: AsyncLocalStorage<Stay | undefined> | undefined

/** What the session that the code is in has seen of a pool; undefined outside of every session. */
export function sessionReads(pool: object): SessionReads | undefined {
  const stay = storage?.getStore()
  if (stay === undefined) return undefined
  let reads = stay.get(pool)
  if (reads === undefined) stay.set(pool, (reads = new SessionReads()))
  return reads
}

/** Runs something of our own, which the session that the code is in has not asked for. */
export function outsideSession<T>(work: () => T): T {
  return storage === undefined ? work() : storage.run(undefined, work)
}

/**
 * Runs `work` as one session: a read inside of it sees whatever the session has written before, and nothing older than what
 * the session has read before, whichever host it goes to. It goes to a standby that has replayed that; waits for one, as long as
 * `readOnly.consistencyWaitMillis` says; else it goes to the leader. The session goes with everything that is called,
 * awaited, scheduled or listened to inside of it. A session inside of a session is one of its own.
 *
 * @returns what `work` returns.
 * @example
 * ```ts
 * import { Pool, session } from 'pg-leader'
 * const pool = new Pool({ connectionString: 'postgres://app@db1,db2,db3/shop' })
 * await session(async () => {
 *   await pool.query('insert into orders (id) values (7)')
 *   const { rows } = await pool.query({ text: 'select * from orders where id = 7', readOnly: true })
 *   console.log(rows)
 * })
 * ```
 */
export function session<T>(work: () => T): T {
  storage ??= new AsyncLocalStorage()
  return storage.run(new WeakMap(), work)
}
