import { EventEmitter, once } from 'node:events'
import { stat } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { QueryConfig } from 'pg'
import QueryStream from 'pg-query-stream'
import type { Pool } from '../../../../src/index'

/** What carries code from where it is said to where it runs: calls `ask` there, and answers what it answers. */
export type Carrier = <T>(ask: () => Promise<T>, pool: Pool) => Promise<T>

const later =
  (schedule: (go: () => void, pool: Pool) => unknown): Carrier =>
  (ask, pool) =>
    new Promise((resolve, reject) => void schedule(() => void ask().then(resolve, reject), pool))

async function* numbers(): AsyncGenerator<number> {
  for (const n of [1, 2]) {
    await sleep(0)
    yield n
  }
}

export const carriers: Readonly<Record<string, Carrier>> = {
  nothing: (ask) => ask(),
  'an await': async (ask) => {
    await sleep(0)
    return ask()
  },
  'a promise’s then': (ask) => Promise.resolve().then(ask),
  'process.nextTick': later((go) => process.nextTick(go)),
  queueMicrotask: later((go) => queueMicrotask(go)),
  setImmediate: later((go) => setImmediate(go)),
  setTimeout: later((go) => setTimeout(go, 1)),
  'a callback of Node’s': later((go) => stat('.', go)),
  'async iteration': async (ask) => {
    for await (const n of numbers()) if (n === 2) return ask()
    throw new Error('there is no second one')
  },
  'an event': later((go) => {
    const emitter = new EventEmitter().on('told', go)
    setImmediate(() => emitter.emit('told'))
  }),
  'an awaited event': async (ask) => {
    const emitter = new EventEmitter()
    setImmediate(() => emitter.emit('told'))
    await once(emitter, 'told')
    return ask()
  },
  'an event of a stream': later((go) => Readable.from(['a']).on('data', go)),
  'a pipeline': async (ask) => {
    await pipeline(Readable.from(['a']), new PassThrough(), async (source) => {
      for await (const _chunk of source) await sleep(0)
    })
    return ask()
  },
  'a request of HTTP': async (ask) => {
    const server = createServer((_request, response) => response.end()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await once(request({ port, host: '127.0.0.1', agent: false }).end(), 'response')
    server.close()
    return ask()
  },
  'a promise of the pool': async (ask, pool) => {
    await pool.query('select 1')
    return ask()
  },
  'a callback of the pool': later((go, pool) => pool.query('select 1', go)),
  'a callback of the pool, behind values': later((go, pool) => pool.query('select $1::int', [1], go)),
  'a callback of the pool for a marked read': later((go, pool) =>
    pool.query({ text: 'select 1', readOnly: true } as object as QueryConfig, go),
  ),
  'a callback of pool.readOnly': later((go, pool) => pool.readOnly.query('select 1', go)),
  'a callback of connect': later((go, pool) =>
    pool.connect((_error, _client, done) => {
      done()
      go()
    }),
  ),
  'a callback of connect of pool.readOnly': later((go, pool) =>
    pool.readOnly.connect((_error, _client, done) => {
      done()
      go()
    }),
  ),
  'a promise of a client': async (ask, pool) => {
    const client = await pool.connect()
    await client.query('select 1')
    client.release()
    return ask()
  },
  'a callback of a client': later(async (go, pool) => {
    const client = await pool.connect()
    client.query('select 1', () => {
      client.release()
      go()
    })
  }),
  'a callback of a client, behind values': later(async (go, pool) => {
    const client = await pool.connect()
    client.query('select $1::int', [1], () => {
      client.release()
      go()
    })
  }),
  'a stream of rows': async (ask, pool) => {
    const client = await pool.connect()
    for await (const _row of client.query(new QueryStream('select generate_series(1, 3)'))) await sleep(0)
    client.release()
    return ask()
  },
  'what a transaction leads to': async (ask, pool) => {
    await pool.transaction((client) => client.query('select 1'))
    return ask()
  },
  // The last one: the session that told it is given up.
  'a callback of the pool that is told of an error': later((go, pool) => pool.query('select 1/0', go)),
}
