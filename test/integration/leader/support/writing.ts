import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from '../../../../src/index'
import { poll } from '../../../support'
import type { Host } from '../../../support'

export const createTable = 'create table if not exists written (id text not null)'

/** A write whose caller was told that it is done. */
export interface Acknowledged {
  readonly id: string
  /** When its caller was told, by the clock of this process. */
  readonly at: number
}

/** Callers that write one row after another, and what they were told. */
export interface Writing {
  readonly acknowledged: Acknowledged[]
  readonly failed: Error[]
  /** Until every writer has had an answer to a write that it began from now on. */
  everybodyServed(): Promise<void>
  stop(): Promise<void>
}

/** Writes with every row an id of its own, by which it is found again wherever it went. */
export function startWriting(pool: Pool, name: string, writers = 3): Writing {
  const acknowledged: Acknowledged[] = []
  const failed: Error[] = []
  const served = new Map<number, number>()
  let stopping = false
  const write = async (writer: number): Promise<void> => {
    for (let count = 0; !stopping; count += 1) {
      const id = `${name}/${writer}/${count}`
      const began = performance.now()
      try {
        await pool.query('insert into written values ($1)', [id])
        acknowledged.push({ id, at: performance.now() })
      } catch (error) {
        failed.push(error as Error)
        // Not as fast as it can while every write is refused.
        await sleep(5)
      }
      served.set(writer, began)
    }
  }
  const running = Array.from({ length: writers }, (_each, writer) => write(writer))
  return {
    acknowledged,
    failed,
    async everybodyServed() {
      const since = performance.now()
      const isServed = (): boolean => served.size === writers && [...served.values()].every((began) => began >= since)
      await poll(isServed, { what: 'every writer is served' })
    },
    async stop() {
      stopping = true
      await Promise.all(running)
    },
  }
}

/** The acknowledged writes that this server does not have: if its history is the one that survives, they are gone. */
export async function missingOn(survivor: Host, { acknowledged }: Writing): Promise<Acknowledged[]> {
  const ids = new Set(await idsOn(survivor))
  return acknowledged.filter(({ id }) => !ids.has(id))
}

/** All that was ever written there. */
export async function idsOn(host: Host): Promise<string[]> {
  return (await host.query<{ id: string }>('select id from written')).map(({ id }) => id)
}
