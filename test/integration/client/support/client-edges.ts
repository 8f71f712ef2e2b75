import { connect, createServer, Socket, type AddressInfo } from 'node:net'
import { format, stripVTControlCharacters } from 'node:util'
import debug from 'debug'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { HostsUnreachableError } from '../../../../src/errors'
import { Client, type ClientOptions } from '../../../../src/facade/client'
import { Pool } from '../../../../src/facade/pool'
import { poll, startCluster, type Cluster, type Host } from '../../../support'

/** A `pg.Client` with what its type declarations leave out. */
type Bare = pg.Client & { ref(): void; unref(): void }

/** Streams of the user's, and what happens before `connect()` and where a caller fails by himself. */
export function clientEdges(version: string): void {
  describe(`Client on ${version}, at its edges`, () => {
    let cluster: Cluster
    let primary: Host
    let standby: Host

    beforeAll(async () => {
      cluster = await startCluster({ hosts: 2 })
      ;[primary, standby] = cluster.hosts as [Host, Host]
    })
    afterAll(() => cluster?.stop())

    const over = (list: readonly { host: string; port: number }[], more: ClientOptions = {}): ClientOptions => ({
      hosts: list.map(({ host, port }) => ({ host, port })),
      user: cluster.user,
      password: cluster.password,
      database: cluster.database,
      ...more,
    })
    const plain = (): Bare => new pg.Client({ ...over([]), host: primary.host, port: primary.port }) as Bare
    const failureOf = (promise: Promise<unknown>): Promise<Error> =>
      promise.then(
        () => expect.unreachable('connected'),
        (error: unknown) => error as Error,
      )

    it.each([
      ['throws', new Error('vault sealed')],
      ['throws with a code of its own', Object.assign(new Error('vault sealed'), { code: 'EVAULT' })],
      ['throws what a host might', Object.assign(new Error('no vault'), { code: 'ECONNREFUSED' })],
    ])('stops at a password function that %s', async (_name, thrown) => {
      const password = vi.fn(async () => Promise.reject<string>(thrown))
      expect(await failureOf(new Client(over([standby, primary], { password })).connect())).toBe(thrown)
      expect(password).toHaveBeenCalledOnce()
    })

    it.each([
      ['no error', () => Promise.reject<string>(5), 'the password function failed'],
      ['no string', () => 5 as unknown as string, 'Password must be a string'],
      ['nothing', () => undefined as unknown as string, 'client password must be a string'],
    ])('stops at a password function that gives %s', async (_name, answer, message) => {
      const password = vi.fn(answer)
      const error = await failureOf(new Client(over([standby, primary], { password })).connect())
      expect(error.message).toContain(message)
      expect(password).toHaveBeenCalledOnce()
    })

    it('goes on where a password function that knows the host fails for one of them', async () => {
      if (version === 'pg 8.16') return // Its password functions are told nothing.
      const password = (async ({ port }: { port: number }) => {
        if (port === standby.port) throw new Error('no secret for this host')
        return cluster.password
      }) as () => Promise<string>
      const client = new Client(over([standby, primary], { password }))
      await client.connect()
      expect(client.port).toBe(primary.port)
      await client.end()
    })

    it('stops where no host has a password, and says so; goes on where one of them has', async () => {
      const ports = `${standby.port},${primary.port}`
      const list = `host=127.0.0.1,127.0.0.1 port=${ports} user=${cluster.user} dbname=${cluster.database}`
      const error = await failureOf(new Client(`${list} passfile=/nowhere`).connect())
      expect(error).toMatchObject({ code: '28P01', message: expect.stringContaining('no password supplied') })
      const { password, user, database } = cluster
      const options = { user, database, connectionString: 'passfile=/nowhere' }
      const hosts = [over([standby]).hosts![0]!, { ...over([primary]).hosts![0]!, password }]
      const client = new Client({ ...options, hosts })
      await client.connect()
      expect(client.port).toBe(primary.port)
      await client.end()
    })

    it('goes on from what is no PostgreSQL server', async () => {
      const web = createServer((socket) => {
        socket.on('error', () => {})
        socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')
      })
      await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
      try {
        const { port } = web.address() as AddressInfo
        const client = new Client(over([{ host: '127.0.0.1', port }, primary]))
        await client.connect()
        expect(client.port).toBe(primary.port)
        await client.end()
      } finally {
        web.close()
      }
    })

    /** Streams that are connected when they are made, as those of a tunnel may be. */
    function eager(): { stream: () => Socket; made: Socket[] } {
      const made: Socket[] = []
      const stream = (): Socket => {
        const socket = connect(primary.port, '127.0.0.1')
        socket.on('error', () => {})
        made.push(socket)
        return Object.assign(socket, { connect: () => socket })
      }
      return { stream, made }
    }

    it('closes every stream that was made for it', async () => {
      const { stream, made } = eager()
      const client = new Client(over([primary, standby], { stream, targetSessionAttrs: 'primary' }))
      expect(made).toEqual([])
      await client.connect()
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      await client.end()
      await poll(() => made.every((socket) => socket.destroyed), { what: 'all streams to be closed' })
      expect(made).toHaveLength(1)
    })

    it('makes one stream for each attempt, and none to compare credentials', async () => {
      const stream = vi.fn(() => new Socket())
      const client = new Client(over([standby, primary], { stream, password: 'wrong' }))
      expect(await failureOf(client.connect())).toMatchObject({ code: '28P01' })
      expect(stream).toHaveBeenCalledOnce()
    })

    it('goes on where a stream fails without a code', async () => {
      let made = 0
      const stream = (): Socket => {
        const socket = new Socket()
        if (++made > 1) return socket
        return Object.assign(socket, {
          connect: () => {
            process.nextTick(() => socket.destroy(new Error('the tunnel is closed')))
            return socket
          },
        })
      }
      const client = new Client(over([standby, primary], { stream }))
      await client.connect()
      expect(client.port).toBe(primary.port)
      await client.end()
    })

    it('hears on the connection what was listened to before it was made', async () => {
      const heard = async (client: pg.Client): Promise<readonly string[]> => {
        const names: string[] = []
        client.connection.on('parameterStatus', ({ parameterName }: { parameterName: string }) => {
          names.push(parameterName)
        })
        client.connection.once('parameterStatus', () => names.push('once'))
        await client.connect()
        await client.end()
        return names
      }
      expect(await heard(new Client(over([primary, standby])))).toEqual(await heard(plain()))
    })

    it.each(['before', 'after'] as const)('keeps unref() that was called %s connect()', async (when) => {
      const holds = async (client: Bare): Promise<unknown> => {
        if (when === 'before') client.unref()
        const connecting = client.connect()
        if (when === 'after') client.unref()
        await connecting
        const { _handle: handle } = client.connection.stream as unknown as { _handle: { hasRef(): boolean } }
        const has = handle.hasRef()
        client.ref()
        await client.end()
        return has
      }
      expect(await holds(new Client(over([standby, primary])) as Bare)).toBe(false)
      expect(await holds(plain())).toBe(false)
    })

    it('behaves as pg when it is ended before it is connected', async () => {
      const story = async (client: pg.Client): Promise<readonly unknown[]> => {
        await client.end()
        const told: unknown[] = [await client.connect().then(() => 'connected')]
        told.push(await client.query('select 1').catch((error: unknown) => (error as Error).message))
        client.connection.stream.destroy()
        return told
      }
      expect(await story(new Client(over([standby, primary])))).toEqual(await story(plain()))
    })

    it('ends no process when it is ended at once and nobody awaits connect()', async () => {
      const unhandled: unknown[] = []
      const listener = (reason: unknown): void => void unhandled.push(reason)
      process.on('unhandledRejection', listener)
      const client = new Client(over([standby, primary]))
      const connecting = client.connect()
      await client.end()
      // Two turns: an unhandled rejection is told at the end of one.
      for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      process.removeListener('unhandledRejection', listener)
      expect(unhandled).toEqual([])
      await expect(connecting).rejects.toThrow('Connection terminated')
    })

    it('tells of its failure before it emits its end, in both forms', async () => {
      const dead = { host: '127.0.0.1', port: 1 }
      const story = async (client: pg.Client, called: boolean): Promise<readonly string[]> => {
        const events: string[] = []
        const ended = new Promise<void>((resolve) => {
          client.once('end', () => {
            events.push('end')
            resolve()
          })
        })
        if (called) client.connect((error: unknown) => events.push(error ? 'failed' : 'connected'))
        else await client.connect().catch(() => events.push('failed'))
        await ended
        return events
      }
      for (const called of [false, true]) {
        const theirs = await story(new pg.Client({ ...over([]), ...dead }), called)
        expect(await story(new Client(over([dead, dead])), called)).toEqual(theirs)
      }
    })

    it('names each host once in what it writes for DEBUG, and in its error', async () => {
      const write = vi.spyOn(debug, 'log').mockImplementation(() => undefined)
      debug.enable('pg-leader:client')
      const where = `127.0.0.1:${standby.port}`
      try {
        const error = await failureOf(new Client(over([standby, standby], { targetSessionAttrs: 'primary' })).connect())
        expect(error).toBeInstanceOf(HostsUnreachableError)
        expect(error.message.split(where)).toHaveLength(3)
        const line = stripVTControlCharacters(write.mock.calls.map((args) => format(...args)).join('\n'))
        expect(line).toContain(`${where}: server is in hot standby mode`)
        expect(line).not.toContain(`${where}: ${where}`)
      } finally {
        debug.disable()
        write.mockRestore()
      }
    })

    it('closes every stream that was made for the clients of a pool', async () => {
      const { stream, made } = eager()
      const pool = new Pool({ ...over([primary]), targetSessionAttrs: 'primary', max: 3, stream })
      const answers = await Promise.all(
        [1, 2, 3].map(() => pool.query('select pg_backend_pid() as pid, pg_sleep(0.1)')),
      )
      expect(new Set(answers.map(({ rows }) => rows[0].pid)).size).toBe(3)
      await pool.end()
      await poll(() => made.every((socket) => socket.destroyed), { what: 'all streams to be closed' })
    })
  })
}
