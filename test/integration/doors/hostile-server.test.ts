import type { Socket } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { Client } from '../../../src/index'
import type { ClientOptions } from '../../../src/index'
import { poll } from '../../support'
import {
  authentication,
  commandComplete,
  dataRow,
  header,
  int16,
  message,
  noticeResponse,
  parameterStatus,
  readyForQuery,
} from '../../support/backend'
import { useCluster } from '../pool/support/clusters'
import { rejection, usePools } from '../pool/support/pools'
import { endlessly, startHostileServer, welcome } from './support/hostile-server'
import type { HostileServer } from './support/hostile-server'

const cluster = useCluster({ hosts: 1 })
const makePool = usePools()
const started: HostileServer[] = []

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.close()))
})

async function hostile(words: Buffer | ((socket: Socket) => void)): Promise<HostileServer> {
  const server = await startHostileServer(words)
  started.push(server)
  return server
}

const at = (port: number): { host: string; port: number } => ({ host: '127.0.0.1', port })
const login = (): Pick<ClientOptions, 'user' | 'password' | 'database'> => {
  const { user, password, database } = cluster()
  return { user, password, database }
}
/** What is asked of the fake is over as soon as its bytes are read: this is reached only where it falls silent. */
const patience = 20_000

const then = (first: Buffer, next: (socket: Socket) => void) => (socket: Socket) => {
  socket.write(first)
  next(socket)
}
/** Behaves until it is asked for something. */
const afterWelcome = (next: (socket: Socket) => void) => (socket: Socket) => {
  socket.write(welcome)
  socket.once('data', () => next(socket))
}
const notice = noticeResponse({ severity: 'NOTICE', code: '00000' })
const parameter = parameterStatus('x'.repeat(100), 'y'.repeat(100))
const row = dataRow(['whatever'])

const protocol = "what the server sent is not PostgreSQL's protocol: "
const nonsense: Readonly<Record<string, readonly [words: Buffer | ((socket: Socket) => void), told: string]>> = {
  'a way to authenticate that nobody knows': [authentication(99), protocol],
  'an authentication request of no length': [message('R'), protocol],
  'a SASL exchange that never began': [authentication(11, 'r=1,s=c2FsdA==,i=4096'), protocol],
  'the end of a SASL exchange that never began': [authentication(12, 'v=1'), protocol],
  'a SCRAM nonce that is not ours': [
    (socket) => {
      socket.write(authentication(10, 'SCRAM-SHA-256\0\0'))
      socket.once('data', () => socket.write(authentication(11, 'r=stolen,s=c2FsdA==,i=4096')))
    },
    'server nonce does not start with client nonce',
  ],
  'a message of two gigabytes': [then(header('S', 0x7fffffff), endlessly(Buffer.alloc(2 ** 16, 65))), protocol],
  'a message shorter than itself': [header('S', 2), protocol],
  'an error without an end': [message('E', 'SFATAL\0'), protocol],
  'a field without an end': [message('N', 'SFATAL'), protocol],
  'more columns than it sends': [message('T', int16(0x7fff)), protocol],
  'no message at all': [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), protocol],
  'a key that is too short': [message('K', 'x'), protocol],
  'endless notices': [endlessly(notice), protocol],
  'endless parameters': [endlessly(parameter), protocol],
  'endless rows': [endlessly(row), 'dataRow'],
  'an error in no encoding': [message('E', Buffer.from([0x4d, 0xff, 0xfe, 0, 0])), '\uFFFD'],
}

describe('a server that talks nonsense is passed over', () => {
  it.each(Object.entries(nonsense))('%s', async (_, [words, told]) => {
    const server = await hostile(words)
    const [real] = cluster().hosts
    const hosts = [at(server.port), at(real!.port)]
    const limits = { ...login(), hosts, connectionTimeoutMillis: patience }

    const client = new Client(limits)
    await client.connect()
    expect(client.port).toBe(real!.port)
    await client.end()

    const alone = new Client({ ...limits, hosts: [hosts[0]!] })
    expect((await rejection(alone.connect())).message).toContain(told)

    const { pool } = makePool({ ...limits, monitor: { timeoutMillis: patience } })
    expect((await pool.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }])
    await poll(() => pool.topology.hosts[0]?.reason?.includes(told), { what: 'the monitor knows it' })
    await pool.end()
    // What the kernels hold on the way comes on top of what was read.
    expect(server.mostTaken).toBeLessThan(32 * 2 ** 20)
  })

  it('also where it behaves until the monitor asks', async () => {
    const [real] = cluster().hosts
    for (const next of [
      endlessly(row),
      endlessly(notice),
      (socket: Socket) => void socket.write(message('T', int16(0x7fff))),
      (socket: Socket) => void socket.write(Buffer.concat([commandComplete('SELECT 0'), readyForQuery('I')])),
    ]) {
      const server = await hostile(afterWelcome(next))
      const { pool } = makePool({
        ...login(),
        hosts: [at(server.port), at(real!.port)],
        monitor: { timeoutMillis: patience },
      })
      await pool.query('select 1')
      expect(pool.topology.leader).toBe(`127.0.0.1:${real!.port}`)
      await poll(() => !pool.topology.hosts[0]?.reason?.includes('not answered'), { what: 'the monitor knows it' })
      expect(pool.topology.hosts[0]?.role).toBe('unknown')
      await pool.end()
      expect(server.mostTaken).toBeLessThan(32 * 2 ** 20)
    }
  })

  it('also where it answers the request for TLS', async () => {
    for (const [words, told] of [
      [Buffer.from('N'), 'does not support SSL'],
      [Buffer.from('X'), 'establishing an SSL connection'],
      // Bytes in clear that were to count as read under TLS.
      [Buffer.concat([Buffer.from('S'), welcome]), 'establishing an SSL connection'],
      [message('E', 'SFATAL\0Mwhat?\0\0'), 'establishing an SSL connection'],
      [(socket: Socket) => void (socket.write('S'), setImmediate(endlessly(welcome), socket)), 'SSL'],
    ] as const) {
      const server = await hostile(words)
      const client = new Client({
        ...login(),
        hosts: [at(server.port), at(1)],
        ssl: true,
        connectionTimeoutMillis: patience,
      })
      expect((await rejection(client.connect())).message).toContain(told)
      const { pool } = makePool({ ...login(), hosts: [at(server.port)], ssl: true, failoverTimeoutMillis: 200 })
      expect((await rejection(pool.query('select 1'))).message).toContain(told)
      expect(server.mostTaken).toBeLessThan(32 * 2 ** 20)
    }
  })

  it('and on a session in use it ends that session and not the process', async () => {
    for (const words of [message('T', int16(0x7fff)), message('D', int16(-1))]) {
      const server = await hostile(afterWelcome((socket) => void socket.write(words)))
      const client = new Client({ ...login(), hosts: [at(server.port)], targetSessionAttrs: 'any' })
      const errors: Error[] = []
      client.on('error', (error) => errors.push(error))
      await client.connect()
      const error = await rejection(client.query('select 1'))
      expect(error).toMatchObject({ code: '08P01', message: expect.stringContaining(protocol) as string })
      await client.end()
    }
  })

  it('what a callback of the application throws stays its own', async () => {
    const thrown: unknown[] = []
    const handlers = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    const hear = (error: unknown): void => void thrown.push(error)
    process.on('uncaughtException', hear)
    const mine = new Error('mine')
    try {
      const client = new Client({ ...login(), hosts: [at(cluster().hosts[0]!.port)] })
      client.connect(() => {
        throw mine
      })
      await poll(() => thrown.length > 0, { what: 'it is heard' })
      expect(thrown).toEqual([mine])
      client.connection.stream.destroy()
    } finally {
      process.removeListener('uncaughtException', hear)
      for (const handler of handlers) process.on('uncaughtException', handler)
    }
  })

  it('whatever the bytes are, somebody is told, and soon', async () => {
    let bytes = Buffer.alloc(0)
    const server = await hostile((socket) => void socket.end(bytes))
    const types = fc.constantFrom(...'RSKZENTDCtnsAGIVW123v'.split(''))
    const body = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.string({ maxLength: 20 }).map(Buffer.from))
    const one = fc.oneof(
      { weight: 4, arbitrary: fc.tuple(types, body).map(([type, rest]) => message(type, rest)) },
      {
        weight: 2,
        arbitrary: fc.tuple(fc.nat(12), body).map(([kind, rest]) => authentication(kind, rest)),
      },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 30 }).map(Buffer.from) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(one, { maxLength: 6 }), async (messages) => {
        bytes = Buffer.concat(messages)
        const client = new Client({
          ...login(),
          hosts: [at(server.port), at(server.port)],
          connectionTimeoutMillis: patience,
        })
        client.on('error', () => undefined)
        const outcome = await client.connect().then(
          () => 'connected',
          (error: unknown) => error,
        )
        await client.end().catch(() => undefined)
        expect(outcome === 'connected' || outcome instanceof Error).toBe(true)
      }),
      { numRuns: 150 },
    )
  })
})
