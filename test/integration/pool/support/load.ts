import { poll } from '../../../support'
import { OutcomeUnknownError } from '../../../../src/index'
import type { Pool } from '../../../../src/index'

/** What became of one kind of call. */
export interface Tally {
  readonly acknowledged: string[]
  readonly unknown: string[]
  readonly failed: Error[]
}

export interface Load {
  readonly writes: Tally
  readonly idempotent: Tally
  readonly reads: Tally
  /** Until every worker has had an answer to a call that it began from now on. */
  everybodyServed(): Promise<void>
  stop(): Promise<void>
}

export const createTable = 'create table if not exists written (id text not null)'

/**
 * Callers that send one statement after another: plain writes, each with an id of its own, writes marked idempotent,
 * and reads marked readOnly. The ids are how the table tells what was executed, and how often.
 */
export function startLoad(pool: Pool, name: string, workers = 3): Load {
  const tally = (): Tally => ({ acknowledged: [], unknown: [], failed: [] })
  const load = { writes: tally(), idempotent: tally(), reads: tally() }
  let stopping = false
  const served = new Map<number, number>()

  const work = async (worker: number, kind: keyof typeof load, statement: (id: string) => object): Promise<void> => {
    for (let count = 0; !stopping && !pool.ending; count += 1) {
      const id = `${name}/${kind}/${worker}/${count}`
      const began = performance.now()
      try {
        await pool.query(statement(id) as { text: string })
        load[kind].acknowledged.push(id)
      } catch (error) {
        if (error instanceof OutcomeUnknownError) load[kind].unknown.push(id)
        else load[kind].failed.push(error as Error)
      }
      served.set(worker, began)
    }
  }

  const running: Promise<void>[] = []
  for (let worker = 0; worker < workers * 3; worker += 3) {
    running.push(
      work(worker, 'writes', (id) => ({ text: 'insert into written values ($1)', values: [id] })),
      work(worker + 1, 'idempotent', (id) => ({
        text: 'insert into written select $1 where not exists (select from written where id = $1)',
        values: [id],
        idempotent: true,
      })),
      work(worker + 2, 'reads', (id) => ({
        text: 'select count(*) from written where id = $1',
        values: [id],
        readOnly: true,
      })),
    )
  }
  return {
    ...load,
    async everybodyServed() {
      const since = performance.now()
      await poll(() => served.size === workers * 3 && [...served.values()].every((began) => began >= since), {
        what: 'every worker is served',
        timeoutMillis: 20_000,
      })
    },
    async stop() {
      stopping = true
      await Promise.all(running)
    },
  }
}

/** How often each id of a load stands in the table. */
export async function countRows(pool: Pool, name: string): Promise<ReadonlyMap<string, number>> {
  const { rows } = await pool.query<{ id: string; count: number }>(
    'select id, count(*)::int as count from written where id like $1 group by id',
    [`${name}/%`],
  )
  return new Map(rows.map(({ id, count }) => [id, count]))
}
