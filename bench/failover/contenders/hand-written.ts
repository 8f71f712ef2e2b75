import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { insertText } from '../statements'
import type { Contender, ContenderOptions } from './contender'

/**
 * What most teams write at first: on a connection error, try every host until one says that it is not in recovery, make
 * that one's pool the pool, and send the statement again.
 */
export function handWritten({ target, max }: ContenderOptions): Contender {
  const { hosts, user, password, database } = target
  let pool: pg.Pool | undefined
  let walk: Promise<pg.Pool> | undefined

  async function findPrimary(): Promise<pg.Pool> {
    const deadline = performance.now() + 30_000
    while (performance.now() < deadline) {
      for (const host of hosts) {
        const candidate = new pg.Pool({ ...host, user, password, database, max, connectionTimeoutMillis: 1000 })
        candidate.on('error', () => undefined)
        try {
          const { rows } = await candidate.query<{ recovery: boolean }>('select pg_is_in_recovery() as recovery')
          if (rows[0]?.recovery === false) return candidate
        } catch {
          // The next one.
        }
        candidate.end().catch(() => undefined)
      }
      await sleep(100)
    }
    throw new Error('no writable host within 30 s')
  }

  async function current(): Promise<pg.Pool> {
    if (pool !== undefined) return pool
    walk ??= findPrimary().finally(() => (walk = undefined))
    return (pool = await walk)
  }

  return {
    insert: async (run, id) => {
      for (let attempt = 1; ; attempt++) {
        const used = await current()
        try {
          return (await used.query<{ port: number }>(insertText, [run, id])).rows[0]!.port
        } catch (error) {
          if (!isConnectionError(error) || attempt === 5) throw error
          if (pool === used) {
            pool = undefined
            used.end().catch(() => undefined)
          }
        }
      }
    },
  }
}

function isConnectionError(error: unknown): boolean {
  const { code = '', message } = error as { code?: string; message: string }
  return (
    /^(ECONN|ETIMEDOUT|EPIPE|08|57P|25006)/.test(code) ||
    /terminated|timeout|not queryable|after calling end/.test(message)
  )
}
