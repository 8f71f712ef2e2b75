import { expect } from 'vitest'
import pg from 'pg'
import { pgPackage, type Options } from './support/implementations'
import { parity } from './support/parity'
import { useServer } from './support/server'
import { rejection, turn, until } from './support/until'

const server = useServer()
const hooked = pgPackage === 'pg'

parity(server, 'onConnect: before connect, for new clients only', async (subject) => {
  const pool = subject.pool({
    onConnect: (client) => {
      subject.note('onConnect', client)
    },
  })
  subject.watch(pool)
  for (let round = 0; round < 2; round++) {
    const client = await pool.connect()
    subject.note('got', client)
    client.release()
  }
  await pool.end()
  expect(subject.lines.filter((line) => line.startsWith('onConnect')).length).toBe(hooked ? 1 : 0)
})

parity(server, 'onConnect: asynchronous, and waited for', async (subject) => {
  const pool = subject.pool({
    onConnect: (async (client: pg.Client) => {
      await client.query("set application_name = 'set by hook'")
      subject.note('onConnect done')
    }) as unknown as NonNullable<Options['onConnect']>,
  })
  subject.watch(pool)
  const { rows } = await pool.query<{ application_name: string }>('show application_name')
  if (hooked) expect(rows[0]!.application_name).toBe('set by hook')
  await pool.end()
})

for (const kind of ['throws', 'rejects'] as const) {
  parity(server, `onConnect: ${kind}`, async (subject) => {
    const refused = new Error('not today')
    const pool = subject.pool({
      onConnect: () => {
        if (kind === 'throws') throw refused
        return Promise.reject(refused) as unknown as undefined
      },
    })
    subject.watch(pool)
    if (!hooked) {
      await pool.query('select 1')
      await pool.end()
      return
    }
    expect(await rejection(pool.connect())).toBe(refused)
    subject.counts(pool)
    expect(pool.totalCount).toBe(0)
    await new Promise<void>((resolve) => {
      pool.connect((error, client, done) => {
        expect(error).toBe(refused)
        expect(client).toBe(undefined)
        subject.note('callback', typeof done)
        resolve()
      })
    })
    expect((await rejection(pool.query('select 1'))).message).toBe('not today')
    await pool.end()
  })
}

parity(server, 'verify: after acquire, for new clients only', async (subject) => {
  const pool = subject.pool({
    verify: (client, done) => {
      subject.note('verify', client, typeof client.release)
      client.query('select 1', (error) => {
        done(error)
      })
    },
  })
  subject.watch(pool)
  for (let round = 0; round < 2; round++) {
    const client = await pool.connect()
    subject.note('got', client)
    client.release()
  }
  await pool.end()
  expect(subject.lines.filter((line) => line.startsWith('verify'))).toHaveLength(1)
})

parity(server, 'verify: an error refuses the checkout and costs the client', async (subject) => {
  const refused = new Error('not good enough')
  const pool = subject.pool({
    verify: (_client, done) => {
      done(refused)
    },
  })
  let removed = 0
  pool.on('remove', () => {
    removed++
  })
  subject.watch(pool)
  expect(await rejection(pool.connect())).toBe(refused)
  subject.counts(pool)
  await until(() => removed === 1)
  await new Promise<void>((resolve) => {
    pool.connect((error, client, done) => {
      expect(error).toBe(refused)
      expect(client).toBe(undefined)
      subject.note('callback', typeof done)
      resolve()
    })
  })
  await until(() => removed === 2)
  expect((await rejection(pool.query('select 1'))).message).toBe('not good enough')
  await until(() => pool.totalCount === 0)
  await pool.end()
})

parity(server, 'verify: refuses once, the next caller gets another client', async (subject) => {
  let refuse = true
  const pool = subject.pool({
    max: 1,
    verify: (_client, done) => {
      done(refuse ? new Error('no') : undefined)
      refuse = false
    },
  })
  const [first, second] = await Promise.allSettled([pool.query('select 1 as n'), pool.query('select 2 as n')])
  subject.note('outcomes', first.status, second.status)
  await pool.end()
})

parity(server, 'a Client class of the user', async (subject) => {
  class Mine extends pg.Client {
    readonly mine = true
  }
  const pool = subject.pool({ Client: Mine })
  const client = await pool.connect()
  expect(client).toBeInstanceOf(Mine)
  expect((client as unknown as Mine).mine).toBe(true)
  expect((await client.query('select 1 as n')).rows).toEqual([{ n: 1 }])
  client.release()
  const { Client } = pool as unknown as { Client: typeof pg.Client }
  expect(Client === Mine || Client.prototype instanceof Mine).toBe(true)
  expect(pool.options.Client).toBe(Mine)
  await pool.end()
})

parity(server, 'a Client class with connect and query of its own', async (subject) => {
  const calls: string[] = []
  class Mine extends pg.Client {
    override connect(...args: unknown[]): never {
      calls.push('connect')
      return (super.connect as (...args: unknown[]) => unknown)(...args) as never
    }
    override query(...args: unknown[]): never {
      calls.push('query')
      return (super.query as (...args: unknown[]) => unknown)(...args) as never
    }
    override end(...args: unknown[]): never {
      calls.push('end')
      return (super.end as (...args: unknown[]) => unknown)(...args) as never
    }
  }
  const pool = subject.pool({ Client: Mine })
  await pool.query('select 1')
  await pool.query('select 1')
  await pool.end()
  expect(calls).toEqual(['connect', 'query', 'query', 'end'])
})

parity(server, 'the Client of ours as the Client of a pool', async (subject) => {
  const pool = subject.pool({ Client: subject.Client as unknown as NonNullable<Options['Client']> })
  expect((await pool.query('select 1 as n')).rows).toEqual([{ n: 1 }])
  expect(pool.totalCount).toBe(1)
  await pool.end()
})

class Later<T> extends Promise<T> {}

parity(server, 'a Promise class of the user', async (subject) => {
  const pool = subject.pool({ Promise: Later })
  const { Promise: PromiseClass } = pool as unknown as { Promise: unknown }
  expect(PromiseClass).toBe(Later)
  const connecting = pool.connect()
  expect(connecting).toBeInstanceOf(Later)
  const client = await connecting
  const asking = client.query('select 1')
  subject.note('client.query', asking instanceof Later)
  await asking
  client.release()
  const querying = pool.query('select 1')
  expect(querying).toBeInstanceOf(Later)
  await querying
  expect(pool.query('syntax error').catch(() => {})).toBeInstanceOf(Later)
  const ending = pool.end()
  expect(ending).toBeInstanceOf(Later)
  await ending
  const refused = pool.connect()
  expect(refused).toBeInstanceOf(Later)
  await rejection(refused)
})

parity(
  server,
  'log is told what pg-pool does',
  async (subject) => {
    const log: string[] = []
    const pool = subject.pool({
      max: 1,
      log: (...messages: unknown[]) => {
        log.push(String(messages[0]))
      },
    })
    await pool.query('select 1')
    await pool.query('select 1')
    await pool.end()
    expect(log.length).toBeGreaterThan(0)
    subject.note('log', log)
  },
  { following: 'what is logged is how it is done' },
)

parity(server, 'connections keep what a session has set', async (subject) => {
  const pool = subject.pool({ max: 1, options: '-c search_path=parity_schema' })
  expect((await pool.query('show search_path')).rows).toEqual([{ search_path: 'parity_schema' }])
  await pool.query("set application_name = 'kept'")
  expect((await pool.query('show application_name')).rows).toEqual([{ application_name: 'kept' }])
  await turn()
  await pool.end()
})
