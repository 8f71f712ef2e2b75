import { AsyncLocalStorage } from 'node:async_hooks'

type Kind = 'reads' | 'primary'

/** Made by the first use: from then on Node follows every async context of the process, which is not free. */
let storage: AsyncLocalStorage<Kind> | undefined

/** What the code that runs now is inside of. */
export function scopeNow(): Kind | undefined {
  return storage?.getStore()
}

/**
 * Runs `work` in a scope in which whatever is asked of a pool and not marked otherwise is a read: `query`, `connect` and
 * `transaction` of every pool of this library go to the replicas, as those of `pool.readOnly` do. Good for whole requests: the
 * scope goes with everything that is called, awaited, scheduled or listened to inside of it, and stays with it when `work`
 * has returned. `listen`, statements that are marked `readOnly: false` or `exactlyOnce: true` and `primary` are not concerned.
 *
 * @returns what `work` returns.
 * @example
 * ```ts
 * import { Pool, readOnly } from 'pg-leader'
 * const pool = new Pool({ connectionString: 'postgres://app@db1,db2,db3/shop' })
 * const { rows } = await readOnly(() => pool.query('select count(*) from orders'))
 * console.log(rows)
 * ```
 */
export function readOnly<T>(work: () => T): T {
  return enter('reads', work)
}

/**
 * Runs `work` outside of any {@link readOnly} scope: what it asks of a pool goes to the leader, unless it is marked as a read itself.
 *
 * @returns what `work` returns.
 * @example
 * ```ts
 * import { Pool, primary, readOnly } from 'pg-leader'
 * const pool = new Pool({ connectionString: 'postgres://app@db1,db2,db3/shop' })
 * await readOnly(async () => {
 *   await pool.query('select * from orders')
 *   await primary(() => pool.query('insert into visits default values'))
 * })
 * ```
 */
export function primary<T>(work: () => T): T {
  return enter('primary', work)
}

function enter<T>(kind: Kind, work: () => T): T {
  storage ??= new AsyncLocalStorage()
  return storage.run(kind, work)
}
