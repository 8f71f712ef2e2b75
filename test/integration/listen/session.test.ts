import { AsyncLocalStorage } from 'node:async_hooks'
import pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { FaultProxy, poll } from '../../support'
import { wrap } from '../../../src/index'
import type { Pool } from '../../../src/index'
import { useCluster } from '../pool/support/clusters'
import { usePools } from '../pool/support/pools'
import { listeners, listenTo } from './support/ear'

const cluster = useCluster({ hosts: 1 })
const makePool = usePools()

function uri(name: string): string {
  return cluster().connectionStringFor(cluster().hosts[0]!, { application_name: name })
}

/** Three kinds of pools: one that follows nobody, one that follows, one that was wrapped. */
const kinds: Record<string, (name: string) => Pool> = {
  plain: (name) => makePool({ connectionString: uri(name), max: 1 }).pool,
  following: (name) => makePool({ connectionString: uri(name), max: 1, targetSessionAttrs: 'read-write' }).pool,
  wrapped(name) {
    const { host, port } = cluster().hosts[0]!
    return wrap(new pg.Pool({ connectionString: uri(name), max: 1 }), {
      hosts: [{ host, port }],
      targetSessionAttrs: 'read-write',
    })
  },
}

describe.each(Object.entries(kinds))('a pool that is %s', (kind, make) => {
  it('listens beside its only client, on many channels, and hears everything in order', async () => {
    const pool = make(`${kind}-order`)
    const client = await pool.connect()
    const channels = Array.from({ length: 100 }, (_, place) => `c${place}`)
    const ears = await Promise.all(channels.map((channel) => listenTo(pool, channel)))
    expect([pool.totalCount, pool.idleCount]).toEqual([1, 0])
    const send = `select pg_notify('c' || n % 100, n::text) from generate_series($1::int, $2) as n`
    for (let first = 0; first < 5000; first += 500) await client.query(send, [first, first + 499])
    await ears[99]!.hears('4999')
    for (const [place, { told }] of ears.entries()) {
      expect(told).toEqual(Array.from({ length: 50 }, (_, round) => String(round * 100 + place)))
    }
    client.release()
    await pool.end()
  })

  it('is told a gap after a restart of its server', async () => {
    const pool = make(`${kind}-restart`)
    const ear = await listenTo(pool, 'restart')
    await cluster().hosts[0]!.restart()
    await ear.hears('gap')
    await cluster().hosts[0]!.query(`select pg_notify('restart', 'after')`)
    await ear.hears('after')
    expect(ear.told).toEqual(['gap', 'after'])
    await pool.end()
  })

  it('keeps its session as long as somebody listens, and tells the server to be silent of what nobody wants', async () => {
    const name = `${kind}-silence`
    const pool = make(name)
    const [host] = cluster().hosts
    const [first, second, other] = [
      await listenTo(pool, 'silence'),
      await listenTo(pool, 'silence'),
      await listenTo(pool, 'other'),
    ]
    const [{ pid } = { pid: 0 }] = await host!.query<{ pid: number }>(listeners, [name])
    const tell = `select pg_notify('silence', $1)`
    await host!.query(tell, ['1'])
    await Promise.all([first.hears('1'), second.hears('1')])
    const closed = first.subscription.close()
    await host!.query(tell, ['2'])
    await second.hears('2')
    await closed
    await second.subscription.close()
    expect(await host!.query(listeners, [name])).toMatchObject([{ pid, query: 'UNLISTEN "silence"' }])
    await other.subscription[Symbol.asyncDispose]()
    await poll(async () => (await host!.query(listeners, [name])).length === 0, { what: 'the session has ended' })
    // Once more, over a new session; and closing twice does no harm.
    await first.subscription.close()
    const again = await listenTo(pool, 'silence')
    await host!.query(tell, ['3'])
    await again.hears('3')
    expect([first.told, second.told, other.told, again.told]).toEqual([['1'], ['1', '2'], [], ['3']])
    await pool.end()
    await poll(async () => (await host!.query(listeners, [name])).length === 0, { what: 'nothing is left' })
  })
})

it('a connection that dies without a word is noticed, and made anew', async () => {
  const [host] = cluster().hosts
  const proxy = await FaultProxy.start(host!.port)
  onTestFinished(() => proxy.close())
  const connectionString = uri('silence').replace(`:${host!.port}/`, `:${proxy.port}/`)
  const monitor = { intervalMillis: 100, timeoutMillis: 300 }
  const { pool } = makePool({ connectionString, targetSessionAttrs: 'read-write', monitor })
  const ear = await listenTo(pool, 'silence')
  proxy.silence()
  await ear.hears('gap')
  await host!.query(`notify silence, 'after'`)
  await ear.hears('after')
})

it('takes every name that PostgreSQL takes, and says whom it heard', async () => {
  const pool = kinds['following']!('names')
  const names = ['Mixed Case', 'a "quoted" one', `it's; drop table x --`, 'ünïcödé 🐘', 'x'.repeat(63), 'select']
  const ears = await Promise.all(names.map((each) => listenTo(pool, each)))
  const payload = 'é'.repeat(3999) + '!'
  for (const [place, each] of names.entries()) {
    const { rows } = await pool.query<{ pid: number }>('select pg_notify($1, $2), pg_backend_pid() as pid', [
      each,
      payload,
    ])
    await ears[place]!.hears(payload)
    const processId = rows[0]?.pid
    expect(ears[place]!.events).toEqual([{ type: 'notification', channel: each, payload, processId }])
  }
  await pool.query('notify "Mixed Case"')
  await ears[0]!.hears('')
})

it('refuses by name what cannot be listened to', async () => {
  const { pool } = makePool({ connectionString: uri('refused') })
  const handler = (): void => undefined
  await expect(pool.listen('', handler)).rejects.toMatchObject({ name: 'ConnInfoError', code: 'CONNINFO' })
  await expect(pool.listen('é'.repeat(32), handler)).rejects.toThrow(
    'listen: the name of a channel must not be longer than 63 bytes in UTF-8, and has 64',
  )
  await expect(pool.listen('orders', 'handler' as never)).rejects.toThrow('listen: the handler must be a function')
})

it('a name that the server has no characters for is refused alone', async () => {
  const [host] = cluster().hosts
  await host!.query(`create database latin encoding 'LATIN1' locale 'C' template template0`)
  const { port } = host!
  const options = { host: '127.0.0.1', port, user: 'postgres', password: cluster().password, database: 'latin' }
  for (const more of [{}, { targetSessionAttrs: 'read-write' as const }]) {
    const { pool } = makePool({ ...options, ...more })
    const [refused, ear] = await Promise.allSettled([listenTo(pool, '🐘'), listenTo(pool, 'é')])
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: '22P05' } })
    if (ear?.status !== 'fulfilled') throw new Error('the other channel was refused as well')
    await pool.query(`select pg_notify('é', 'heard')`)
    await ear.value.hears('heard')
    expect(ear.value.told).toEqual(['heard'])
  }
})

it('a pool that follows nobody rejects with the first answer, as connect does', async () => {
  const { pool } = makePool({ host: '127.0.0.1', port: 1 })
  await expect(listenTo(pool, 'nobody')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

it('calls a handler in the async context of its own call of listen', async () => {
  const tenant = new AsyncLocalStorage<string>()
  const pool = kinds['following']!('context')
  const seen: (string | undefined)[] = []
  const listen = (): Promise<unknown> => pool.listen('context', () => seen.push(tenant.getStore()))
  await tenant.run('first', listen)
  await tenant.run('second', listen)
  await tenant.run('third', () => pool.query('notify context'))
  await poll(() => seen.length === 2, { what: 'both are told' })
  await cluster().hosts[0]!.restart()
  await poll(() => seen.length === 4, { what: 'both are told of the gap' })
  expect(seen).toEqual(['first', 'second', 'first', 'second'])
})

it('pause() does not wait for it, and does not silence it', async () => {
  const pool = kinds['following']!('pause')
  const ear = await listenTo(pool, 'pause')
  await pool.pause({ timeoutMillis: 5000 })
  await cluster().hosts[0]!.query(`notify pause, 'heard'`)
  await ear.hears('heard')
  pool.resume()
})
