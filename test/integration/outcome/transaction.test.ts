import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { beforeEach, describe, expect, it } from 'vitest'
import { wrap } from '../../../src/index'
import { aStandby, heal, useCluster } from '../pool/support/clusters'
import { rejection, usePools } from '../pool/support/pools'
import { asPoorRole, useKept } from './support/kept'

const cluster = useCluster({ hosts: 2 })
const makePool = usePools()
beforeEach(() => heal(cluster()))
const kept = useKept(cluster)

const following = () => makePool({ connectionString: cluster().connectionString(), max: 4 }).pool
const plain = async () => {
  const primary = await cluster().primary()
  return makePool({ connectionString: cluster().connectionStringFor(primary), max: 4 }).pool
}

describe.each([
  ['a pool that follows', () => Promise.resolve(following())],
  ['a pool of one host', plain],
])('transaction of %s', (_kind, open) => {
  it('commits what its function did and returns its value, in two messages of its own', async () => {
    const pool = await open()
    const sent: unknown[] = []
    const value = await pool.transaction(async (client) => {
      const write = client.connection.stream.write.bind(client.connection.stream)
      client.connection.stream.write = ((...args: Parameters<typeof write>) => {
        sent.push(args[0])
        return write(...args)
      }) as typeof write
      await client.query('insert into kept values (1)')
      return 'done'
    })
    expect(value).toBe('done')
    // The statement and COMMIT; BEGIN and the witness went before, in one.
    expect(sent).toHaveLength(2)
    expect(await kept()).toEqual([1])
    expect(pool.idleCount).toBe(1)
  })

  it('asks the server what it is in the first transaction of a session alone', async () => {
    const pool = await open()
    const texts: string[] = []
    pool.on('acquire', (client) => {
      const query = client.query.bind(client) as (...args: unknown[]) => unknown
      client.query = ((...args: unknown[]) => {
        texts.push(String((args[0] as { text?: string }).text ?? args[0]))
        return query(...args)
      }) as typeof client.query
    })
    await pool.transaction(() => undefined)
    expect(texts[0]).toContain('pg_control_system')
    texts.length = 0
    await pool.transaction(() => undefined)
    expect(texts[0]).toMatch(/^begin; select pg_current_xact_id/)
    expect(texts[0]).not.toContain('pg_control_system')
    expect(texts.at(-1)).toBe('commit')
  })

  it('rolls back on any error of its function, which is given on as it is, and keeps the client', async () => {
    const pool = await open()
    const error = new Error('no')
    const thrown = await rejection(
      pool.transaction(async (client) => {
        await client.query('insert into kept values (1)')
        throw error
      }),
    )
    expect(thrown).toBe(error)
    const refused = await rejection(
      pool.transaction(async (client) => {
        await client.query('insert into kept values (1)')
        await client.query('insert into kept values (1)')
      }),
    )
    expect(refused).toMatchObject({ code: '23505', severity: 'ERROR' })
    expect(await kept()).toEqual([])
    expect([pool.totalCount, pool.idleCount]).toEqual([1, 1])
  })

  it('does not take a ROLLBACK for a COMMIT: a statement failed, and the function went on', async () => {
    const pool = await open()
    const error = await rejection(
      pool.transaction(async (client) => {
        await client.query('insert into kept values (1)')
        await client.query('insert into kept values (1)').catch(() => undefined)
      }),
    )
    expect(error).toMatchObject({ name: 'TransactionRolledBackError', code: '40000', outcome: 'aborted' })
    expect(error.cause).toMatchObject({ code: '23505' })
    expect(pool.idleCount).toBe(1)
  })

  it('gives an error at COMMIT on as it is', async () => {
    const pool = await open()
    await pool.query('alter table kept add column next int references kept deferrable initially deferred')
    const error = await rejection(pool.transaction((client) => client.query('insert into kept values (1, null, 7)')))
    expect(error).toMatchObject({ code: '23503' })
    expect(pool.idleCount).toBe(1)
  })

  it('runs again after a serialization failure, whoever wrapped it', async () => {
    const pool = await open()
    await pool.query('insert into kept values (1)')
    let calls = 0
    await pool.transaction(
      async (client) => {
        calls += 1
        await client.query('select * from kept')
        if (calls === 1) await pool.query("update kept set note = 'meanwhile'")
        await client.query("update kept set note = note || '!'").catch((cause: unknown) => {
          throw new Error('the query builder says', { cause })
        })
      },
      { isolation: 'repeatable read' },
    )
    expect(calls).toBe(2)
    expect((await pool.query('select note from kept')).rows).toEqual([{ note: 'meanwhile!' }])
  })

  it('runs again after a deadlock', async () => {
    const pool = await open()
    await pool.query('insert into kept values (1), (2)')
    let calls = 0
    let arrived = 0
    const meet = async (): Promise<void> => {
      arrived += 1
      while (arrived < 2) await sleep(1)
    }
    const update = (first: number, second: number) =>
      pool.transaction(async (client) => {
        calls += 1
        await client.query("set local deadlock_timeout = '10ms'")
        await client.query('update kept set note = $1 where id = $1::int', [first])
        await meet()
        await client.query('update kept set note = $1 where id = $1::int', [second])
      })
    await Promise.all([update(1, 2), update(2, 1)])
    expect(calls).toBe(3)
  })

  it('gives up after so many attempts, with the server’s own error', async () => {
    const pool = await open()
    let calls = 0
    const error = await rejection(
      pool.transaction(
        async (client) => {
          calls += 1
          await client.query("do $$ begin raise exception using errcode = '40001'; end $$")
        },
        { maxAttempts: 3 },
      ),
    )
    expect(calls).toBe(3)
    expect(error).toMatchObject({ code: '40001', severity: 'ERROR' })
  })

  it('runs again when its connection is lost before COMMIT, and when its session is ended', async () => {
    const pool = await open()
    let calls = 0
    await pool.transaction(async (client) => {
      calls += 1
      await client.query('insert into kept values ($1)', [calls])
      if (calls === 1) client.connection.stream.destroy()
      if (calls === 2) {
        const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
        await pool.query('select pg_terminate_backend($1)', [rows[0]?.pid])
      }
    })
    expect(calls).toBe(3)
    expect(await kept()).toEqual([3])
  })

  it('does not send what the server has no time for twice', async () => {
    const pool = await open()
    let calls = 0
    const error = await rejection(
      pool.transaction(async (client) => {
        calls += 1
        await client.query("set local idle_in_transaction_session_timeout = '20ms'")
        await sleep(200)
        await client.query('insert into kept values (1)')
      }),
    )
    expect(calls).toBe(1)
    expect(error.message).toMatch(/not queryable|idle-in-transaction/)
  })

  it('refuses to be ended by its function, in every form of pg', async () => {
    const pool = await open()
    const seen: unknown[] = []
    await pool.transaction(async (client) => {
      for (const text of ['COMMIT', 'rollback', 'begin', 'end', '/* */ abort']) {
        seen.push((await rejection(client.query(text))).name)
      }
      const called = await new Promise((resolve) => {
        const returned = client.query('commit', (error: unknown) => resolve([returned, (error as Error).name]))
      })
      seen.push(called)
      const query = new pg.Query('commit')
      const told = new Promise((resolve) => query.on('error', (error) => resolve(error.name)))
      seen.push(client.query(query) === query, await told)
      await client.query('savepoint a; insert into kept values (1); rollback to savepoint a')
      await client.query('rollback to savepoint a')
      await client.query('insert into kept values (2)')
      for (const name of ['release', 'end', 'connect'] as const) {
        expect(() => void client[name]()).toThrow(`client.${name}() inside pool.transaction`)
      }
    })
    const refused = 'TransactionStateError'
    expect(seen).toEqual([...Array.from({ length: 5 }, () => refused), [undefined, refused], true, refused])
    expect(await kept()).toEqual([2])
  })

  it('says so when its function ended the transaction after all', async () => {
    const pool = await open()
    const error = await rejection(pool.transaction((client) => client.query('insert into kept values (1); commit')))
    expect(error).toMatchObject({ name: 'TransactionStateError', code: '25000' })
    expect(pool.idleCount).toBe(1)
  })

  it('refuses its client when it is over', async () => {
    const pool = await open()
    const leaked = await pool.transaction((client) => client)
    const error = await rejection(leaked.query('insert into kept values (1)'))
    expect(error).toMatchObject({ name: 'TransactionStateError' })
    expect(error.message).toContain('is over')
    expect(await kept()).toEqual([])
  })

  it('refuses one inside of another, but not beside or after it', async () => {
    const pool = await open()
    const error = await rejection(pool.transaction(() => pool.transaction(() => undefined)))
    expect(error).toMatchObject({ name: 'TransactionStateError' })
    expect(error.message).toContain('savepoint')
    const later = await pool.transaction(() => ({ promise: sleep(20).then(() => pool.transaction(() => 'later')) }))
    expect(await later.promise).toBe('later')
    const other = await open()
    expect(await pool.transaction(() => other.transaction(() => 'of another pool'))).toBe('of another pool')
  })

  it('begins as it is told to', async () => {
    const pool = await open()
    const shown = await pool.transaction(
      async (client) => {
        const { rows } = await client.query<Record<string, string>>(
          `select current_setting('transaction_isolation') as isolation, current_setting('transaction_read_only') as read_only,
            current_setting('transaction_deferrable') as deferrable, pg_current_xact_id_if_assigned() as xid`,
        )
        return rows[0]
      },
      { isolation: 'serializable', readOnly: true, deferrable: true },
    )
    expect(shown).toEqual({ isolation: 'serializable', read_only: 'on', deferrable: 'on', xid: null })
  })

  it.each([
    [
      { isolation: 'chaos' },
      'isolation must be one of read uncommitted, read committed, repeatable read, serializable, not "chaos"',
    ],
    [{ maxAttempts: 0 }, 'maxAttempts must be a whole number of at least 1, not 0'],
    [{ readOnly: 'yes' }, 'readOnly must be true or false, not "yes"'],
    [{ after: 'yesterday', readOnly: true }, 'after must be a position as pool.position() gives it, not "yesterday"'],
    [{ after: '1/0/7' }, 'after is for a transaction with readOnly: true'],
    [{ signal: 7 }, 'signal must be an AbortSignal, not 7'],
    [{ retries: 3 }, 'retries is not an option of pool.transaction'],
    ['serializable', 'the options of pool.transaction must be an object, not "serializable"'],
  ])('refuses %j', async (options, message) => {
    const pool = await open()
    const error = await rejection(pool.transaction(() => undefined, options as object))
    expect(error).toMatchObject({ code: 'CONNINFO' })
    expect(error.message).toContain(message)
  })

  it('needs a function', async () => {
    const pool = await open()
    const error = await rejection(pool.transaction(undefined as unknown as () => void))
    expect(error.message).toContain('pool.transaction needs a function')
  })

  it('stops for its signal: before it has a client, and before COMMIT, with a rollback', async () => {
    const pool = await open()
    const reason = new Error('enough')
    const controller = new AbortController()
    const before = await rejection(
      pool.transaction(
        async (client) => {
          await client.query('insert into kept values (1)')
          controller.abort(reason)
        },
        { signal: controller.signal },
      ),
    )
    expect(before).toBe(reason)
    expect(await kept()).toEqual([])
    expect(pool.idleCount).toBe(1)
    let called = false
    const work = () => {
      called = true
    }
    expect(await rejection(pool.transaction(work, { signal: controller.signal }))).toBe(reason)
    expect(called).toBe(false)
  })

  it('does not leave a query_timeout waiting for a server that is at work', async () => {
    const pool = await open()
    const error = await rejection(
      pool.transaction((client) => client.query({ text: 'select pg_sleep(30)', query_timeout: 50 } as pg.QueryConfig)),
    )
    expect(error.message).toBe('Query read timeout')
    expect(pool.totalCount).toBe(0)
  })
})

describe('transaction', () => {
  it('moves with the leader: a server that leads no more refuses it cleanly', async () => {
    const pool = following()
    await pool.transaction((client) => client.query('insert into kept values (1)'))
    const to = await aStandby(cluster())
    let calls = 0
    await pool.transaction(async (client) => {
      calls += 1
      if (calls === 1) await cluster().switchover(to)
      await client.query('insert into kept values (2)')
    })
    expect(calls).toBeGreaterThan(1)
    expect(await kept()).toEqual([1, 2])
  })

  it('is there on a pool that was wrapped', async () => {
    const primary = await cluster().primary()
    const pool = new pg.Pool({ connectionString: cluster().connectionStringFor(primary) })
    const ours = wrap(pool, { hosts: cluster().hosts.map(({ host, port }) => ({ host, port })) })
    expect(await ours.transaction(async (client) => (await client.query('insert into kept values (1)')).rowCount)).toBe(
      1,
    )
    await pool.end()
  })

  it('goes without a witness where the server does not let one be written', async () => {
    await asPoorRole(cluster(), async (config) => {
      const { pool } = makePool(config)
      await pool.transaction((client) => client.query('insert into kept values (1)'))
      await pool.query({ text: 'insert into kept values (2)', exactlyOnce: true })
      await pool.transaction((client) => client.query('insert into kept values (3)'))
      expect(await kept()).toEqual([1, 2, 3])
    })
  })

  it('rejects when the pool has ended', async () => {
    const pool = following()
    await pool.end()
    expect((await rejection(pool.transaction(() => undefined))).message).toBe(
      'Cannot use a pool after calling end on the pool',
    )
  })
})
