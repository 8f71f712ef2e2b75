import { expect } from 'vitest'
import { parity } from './support/parity'
import { useServer } from './support/server'
import { rejection, turn } from './support/until'

const server = useServer()

parity(server, 'after end, connect is refused in both forms, the callback at once', async (subject) => {
  const pool = subject.pool()
  await pool.end()
  const error = await rejection(pool.connect())
  expect(error.message).toBe('Cannot use a pool after calling end on the pool')
  let called: unknown[] = []
  pool.connect((...args: unknown[]) => {
    called = args
  })
  await turn()
  subject.note('callback', called.length, called[0])
})

parity(server, 'end waits for the clients that are out', async (subject) => {
  const pool = subject.pool()
  const client = await pool.connect()
  let ended = false
  const ending = pool.end().then(() => {
    ended = true
  })
  expect([pool.ending, pool.ended]).toEqual([true, false])
  expect((await client.query<{ n: number }>('select 1 as n')).rows).toEqual([{ n: 1 }])
  expect(ended).toBe(false)
  client.release()
  await ending
  expect([pool.ending, pool.ended]).toEqual([true, true])
})

parity(server, 'end: callback form, and a second end in both forms', async (subject) => {
  const pool = subject.pool()
  await pool.query('select 1')
  await new Promise<void>((resolve) => {
    const returned: unknown = pool.end((...args: unknown[]) => {
      subject.note('end', ...args)
      resolve()
    })
    subject.note('returned', returned)
  })
  expect((await rejection(pool.end())).message).toBe('Called end on pool more than once')
  pool.end((...args: unknown[]) => {
    subject.note('again', ...args)
  })
  await turn()
})

parity(
  server,
  'end and those who wait for a client',
  async (subject) => {
    const pool = subject.pool({ max: 1 })
    const held = await pool.connect()
    let answer = 'none'
    const waiting = pool.connect().then(
      () => {
        answer = 'client'
      },
      () => {
        answer = 'refused'
      },
    )
    const ending = pool.end()
    held.release()
    await ending
    if (subject.following) await waiting
    await turn()
    expect(answer).toBe(subject.following ? 'refused' : 'none')
  },
  { following: 'pg leaves them without an answer for ever, ours answers everybody' },
)

parity(server, 'end and what was asked just before, there being room', async (subject) => {
  const pool = subject.pool()
  const asking = pool.query('select 1 as n')
  const ending = pool.end()
  expect((await asking).rows).toEqual([{ n: 1 }])
  await ending
  expect(pool.totalCount).toBe(0)
})
