import { Client } from 'pg'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { poll } from '../../support'
import { OutcomeUnknownError } from '../../../src/index'
import { useCluster } from './support/clusters'
import { createTable } from './support/load'
import { rejection, usePools } from './support/pools'

const cluster = useCluster({ hosts: 2 })
const makePool = usePools()
let blocker: Client | undefined

beforeAll(async () => {
  const primary = await cluster().primary()
  await primary.query(createTable)
  await primary.query(`create procedure write_and_wait(id text) language plpgsql as
    $$ begin insert into written values (id); commit; perform pg_advisory_lock(1); end $$`)
})

afterEach(async () => {
  await blocker?.end().catch(() => undefined)
  blocker = undefined
})

/** Whoever asks for advisory lock 1 waits, until the server takes the holder down together with everybody else. */
async function block(): Promise<void> {
  const primary = await cluster().primary()
  blocker = new Client({ connectionString: cluster().connectionStringFor(primary) })
  blocker.on('error', () => undefined)
  await blocker.connect()
  await blocker.query('select pg_advisory_lock(1)')
}

async function untilBlocked(count: number): Promise<void> {
  const primary = await cluster().primary()
  const text = `select pid from pg_stat_activity where wait_event_type = 'Lock'`
  await poll(async () => (await primary.query(text)).length === count, { what: `${count} statements are in flight` })
}

async function countOf(id: string): Promise<number> {
  const primary = await cluster().primary()
  return (await primary.query('select from written where id = $1', [id])).length
}

const insert = 'insert into written select $1 from (select pg_advisory_xact_lock(1)) waits'

describe('statements in flight when the server is stopped fast', () => {
  it('plain writes are sent again, each is executed exactly once and none fails', async () => {
    await block()
    const { pool, failovers } = makePool({ connectionString: cluster().connectionString() })
    const ids = Array.from({ length: 8 }, (_, index) => `fast/${index}`)
    const writes = Promise.all(ids.map((id) => pool.query(insert, [id])))
    await untilBlocked(8)
    await (await cluster().primary()).restart('fast')
    expect((await writes).map(({ rowCount }) => rowCount)).toEqual(ids.map(() => 1))
    for (const id of ids) expect(await countOf(id)).toBe(1)
    await poll(() => failovers.length > 0, { what: 'the failover is told' })
    expect(failovers).toMatchObject([{ replayed: 8, unknown: 0, generation: 2 }])
  })

  it('they are sent again in callback form too', async () => {
    await block()
    const { pool } = makePool({ connectionString: cluster().connectionString() })
    const answer = new Promise((resolve) => {
      pool.query(insert, ['callback'], (error, result) => resolve(error ?? result.rowCount))
    })
    await untilBlocked(1)
    await (await cluster().primary()).restart('fast')
    expect(await answer).toBe(1)
    expect(await countOf('callback')).toBe(1)
  })

  it.each([
    { what: 'CALL', text: `call write_and_wait('CALL')`, committed: 1 },
    {
      what: 'DO',
      text: `do $$ begin insert into written values ('DO'); commit; perform pg_advisory_lock(1); end $$`,
      committed: 1,
    },
    {
      what: 'several statements',
      text: `insert into written values ('several statements'); select pg_advisory_lock(1)`,
      committed: 0,
    },
  ])(
    '$what may have committed inside: its outcome is unknown and it is not sent again',
    async ({ what, text, committed }) => {
      await block()
      const { pool } = makePool({ connectionString: cluster().connectionString() })
      const answer = rejection(pool.query({ text, idempotent: true }))
      await untilBlocked(1)
      await (await cluster().primary()).restart('fast')
      const error = await answer
      expect(error).toBeInstanceOf(OutcomeUnknownError)
      expect(error.cause).toMatchObject({ code: '57P01', severity: 'FATAL' })
      await pool.query('select 1')
      expect(await countOf(what)).toBe(committed)
    },
  )

  it('a transaction on a checked-out client gets the error of the server, and its client is gone with its release', async () => {
    await block()
    const { pool } = makePool({ connectionString: cluster().connectionString() })
    const client = await pool.connect()
    await client.query('begin')
    const answer = rejection(client.query(insert, ['transaction']))
    await untilBlocked(1)
    await (await cluster().primary()).restart('fast')
    expect(await answer).toMatchObject({ code: '57P01' })
    client.release()
    expect((await pool.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }])
    expect(pool.totalCount).toBe(1)
    expect(await countOf('transaction')).toBe(0)
  })
})

describe('statements in flight when the server is stopped immediately', () => {
  it('a plain write is of unknown outcome and is not sent again', async () => {
    await block()
    const { pool } = makePool({ connectionString: cluster().connectionString() })
    const answer = rejection(pool.query(insert, ['immediate']))
    await untilBlocked(1)
    await (await cluster().primary()).restart('immediate')
    const error = await answer
    expect(error).toBeInstanceOf(OutcomeUnknownError)
    expect(error).toMatchObject({
      code: '08007',
      outcome: 'unknown',
      cause: { message: 'Connection terminated unexpectedly' },
    })
    await pool.query('select 1')
    expect(await countOf('immediate')).toBe(0)
  })

  it.each(['readOnly', 'idempotent'])('one that is marked %s is sent again', async (mark) => {
    await block()
    const { pool } = makePool({ connectionString: cluster().connectionString() })
    const answer = pool.query({ text: 'select pg_advisory_xact_lock(1)', [mark]: true } as { text: string })
    await untilBlocked(1)
    await (await cluster().primary()).restart('immediate')
    expect((await answer).rowCount).toBe(1)
  })
})

describe('a single backend that is lost', () => {
  it('terminated: its statement is sent again on another connection to the same leader', async () => {
    await block()
    const { pool, failovers } = makePool({ connectionString: cluster().connectionString() })
    const primary = await cluster().primary()
    const answer = pool.query(insert, ['terminated'])
    await untilBlocked(1)
    await primary.query(`select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'`)
    await untilBlocked(1)
    await blocker?.end()
    expect((await answer).rowCount).toBe(1)
    expect(await countOf('terminated')).toBe(1)
    expect(failovers).toEqual([])
    expect(pool.topology.generation).toBe(1)
  })

  it('cancelled: the error is the answer', async () => {
    await block()
    const { pool } = makePool({ connectionString: cluster().connectionString() })
    const answer = rejection(pool.query({ text: insert, values: ['cancelled'], idempotent: true }))
    await untilBlocked(1)
    await (
      await cluster().primary()
    ).query(`select pg_cancel_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'`)
    expect(await answer).toMatchObject({ code: '57014' })
  })

  it('query_timeout: the error is pg-pool’s own and nothing is sent again', async () => {
    await block()
    const { pool } = makePool({ connectionString: cluster().connectionString() })
    const query = { text: insert, values: ['timeout'], query_timeout: 200, idempotent: true }
    expect(await rejection(pool.query(query))).toMatchObject({ message: 'Query read timeout' })
    await blocker?.end()
    await pool.query('select 1')
    expect(await countOf('timeout')).toBeLessThan(2)
  })
})
