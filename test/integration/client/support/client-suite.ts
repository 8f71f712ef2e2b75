import { inspect } from 'node:util'
import { Socket } from 'node:net'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HostsUnreachableError, isConnInfoError, type HostFailure } from '../../../../src/errors'
import { Client, type ClientOptions } from '../../../../src/facade/client'
import type { TargetSessionAttrs } from '../../../../src/core/selection/target-session-attrs'
import { poll, startCluster, type Cluster, type Host } from '../../../support'
import { eventsOf } from './configuration'

/** Which host of a list is taken, of the primary P and the standbys S and T; none: the connect fails. */
const orders: readonly (readonly [TargetSessionAttrs, string, string | undefined])[] = [
  ['read-write', 'PS', 'P'],
  ['read-write', 'SP', 'P'],
  ['any', 'PS', 'P'],
  ['any', 'SP', 'S'],
  ['primary', 'PS', 'P'],
  ['primary', 'SP', 'P'],
  ['read-only', 'PS', 'S'],
  ['read-only', 'SP', 'S'],
  ['prefer-standby', 'PP', 'P'],
  ['prefer-standby', 'PS', 'S'],
  ['prefer-standby', 'SP', 'S'],
  ['standby', 'PS', 'S'],
  ['standby', 'SP', 'S'],
  ['read-write', 'ST', undefined],
  ['primary', 'ST', undefined],
  ['read-only', 'PP', undefined],
  ['standby', 'PP', undefined],
]

type Failure = Error & { readonly code?: string; readonly failures?: readonly HostFailure[] }

/** The bodies that hold for every supported version of `pg`. */
export function clientSuite(version: string): void {
  describe(`Client on ${version}`, () => {
    let cluster: Cluster
    let hosts: Readonly<Record<string, Host>>
    let primary: Host
    let standby: Host
    const dead = { host: '127.0.0.1', port: 1 }

    beforeAll(async () => {
      cluster = await startCluster({ hosts: 3 })
      const [p, s, t] = cluster.hosts as [Host, Host, Host]
      hosts = { P: p, S: s, T: t }
      primary = p
      standby = s
    })
    afterAll(() => cluster?.stop())

    const over = (list: readonly { host: string; port: number }[], more: ClientOptions = {}): ClientOptions => ({
      hosts: list.map(({ host, port }) => ({ host, port })),
      user: cluster.user,
      password: cluster.password,
      database: cluster.database,
      ...more,
    })
    const portOf = async (client: pg.Client): Promise<unknown> =>
      (await client.query('select inet_server_port() as port')).rows[0].port
    const failureOf = (promise: Promise<unknown>): Promise<Failure> =>
      promise.then(
        () => expect.unreachable('connected'),
        (error: unknown) => error as Failure,
      )

    it.each(orders)('%s over %s takes %s', async (targetSessionAttrs, list, taken) => {
      const client = new Client(
        over(
          list.split('').map((name) => hosts[name]!),
          { targetSessionAttrs },
        ),
      )
      if (taken === undefined) {
        const error = await failureOf(client.connect())
        expect(error).toBeInstanceOf(HostsUnreachableError)
        expect(error).toMatchObject({ code: '08004', failures: [{ host: expect.any(String) }, {}] })
        return
      }
      await client.connect()
      expect(await portOf(client)).toBe(hosts[taken]!.port)
      expect(client.port).toBe(hosts[taken]!.port)
      await client.end()
    })

    it('understands a connection string and goes on over dead and frozen hosts', async () => {
      await standby.freeze()
      try {
        const text = cluster.connectionString({ target_session_attrs: 'primary' })
        const list = `127.0.0.1:1,127.0.0.1:${standby.port},127.0.0.1:${primary.port}`
        const client = new Client({
          connectionString: text.replace(/@[^/]*\//, `@${list}/`),
          connectionTimeoutMillis: 200,
        })
        await client.connect()
        expect(await portOf(client)).toBe(primary.port)
        await client.end()
      } finally {
        await standby.thaw()
      }
    })

    it('goes on from a host that is shutting down', async () => {
      const third = hosts['T']!
      const lingering = new pg.Client({ ...over([]), host: third.host, port: third.port })
      await lingering.connect()
      const stopped = third.stop('smart')
      try {
        await poll(async () => (await failureOf(third.query('select 1'))).code === '57P03', {
          what: '57P03',
        })
        const client = new Client(over([third, primary], { targetSessionAttrs: 'any' }))
        await client.connect()
        expect(await portOf(client)).toBe(primary.port)
        await client.end()
      } finally {
        await lingering.end()
        await stopped
        await third.start()
      }
    })

    it('stops at a wrong password, with the very error', async () => {
      const client = new Client(over([standby, dead, primary], { password: 'wrong' }))
      const error = await failureOf(client.connect())
      expect(error).toBeInstanceOf(pg.DatabaseError)
      expect(error).toMatchObject({ code: '28P01' })
    })

    it('goes on from a wrong password where hosts have their own', async () => {
      const { port } = standby
      const options = over([])
      const client = new Client({
        ...options,
        hosts: [
          { host: '127.0.0.1', port, password: 'wrong' },
          { host: '127.0.0.1', port: primary.port },
        ],
      })
      await client.connect()
      expect(await portOf(client)).toBe(primary.port)
      await client.end()
    })

    it('calls a password function for each host it asks', async () => {
      let calls = 0
      const password = async () => {
        calls++
        return cluster.password
      }
      const client = new Client(over([standby, primary], { password }))
      await client.connect()
      expect(calls).toBe(2)
      await client.end()
    })

    it('reports the failure of every host in one error, and rejects what was queued', async () => {
      const client = new Client(over([dead, standby], { targetSessionAttrs: 'read-write' }))
      const events = eventsOf(client)
      const queued = failureOf(client.query('select 1'))
      const error = await failureOf(client.connect())
      expect(error).toBeInstanceOf(HostsUnreachableError)
      expect(error.code).toBe('08001')
      expect(error.failures).toMatchObject([
        { host: '127.0.0.1:1', error: { code: 'ECONNREFUSED' } },
        { host: `127.0.0.1:${standby.port}`, error: { code: '08004' } },
      ])
      expect(error.message).toContain('127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1; ')
      expect(error.message).toContain(`127.0.0.1:${standby.port}: session is read-only. `)
      expect(inspect(error)).not.toContain(cluster.password)
      expect(await queued).toBe(error)
      await poll(() => events.length > 0, { what: 'the end event' })
      expect(events).toEqual(['end'])
      expect((await failureOf(client.query('select 1'))).message).toContain('not queryable')
      expect((await failureOf(client.connect())).message).toContain('already been connected')
      await client.end()
    })

    it('rethrows the only failure as it is', async () => {
      const client = new Client(over([dead], { targetSessionAttrs: 'primary' }))
      expect(await failureOf(client.connect())).toMatchObject({ code: 'ECONNREFUSED' })
    })

    it('runs queued queries on the host it takes, and on no other', async () => {
      const client = new Client(over([standby, primary]))
      const queued = [portOf(client), portOf(client)]
      await client.connect()
      expect(await Promise.all(queued)).toEqual([primary.port, primary.port])
      await client.end()
    })

    it('can be ended while it looks for a host', async () => {
      await standby.freeze()
      try {
        const client = new Client(over([standby, primary]))
        const queued = failureOf(client.query('select 1'))
        const connecting = failureOf(client.connect())
        await poll(() => Reflect.get(client.connection.stream, 'remotePort') === standby.port, {
          what: 'a socket to the frozen host',
        })
        await client.end()
        expect((await connecting).message).toBe('Connection terminated')
        expect((await queued).message).toBe('Connection terminated')
        expect(client.connection.stream.destroyed).toBe(true)

        const early = new Client(over([standby, primary]))
        const refused = failureOf(early.connect())
        await new Promise<void>((resolve) => early.end(() => resolve()))
        expect((await refused).message).toBe('Connection terminated')
        expect((await failureOf(early.connect())).message).toContain('already been connected')
      } finally {
        await standby.thaw()
      }
    })

    it("has pg's callback and promise forms, and its words for a second connect", async () => {
      const plain = new pg.Client({ ...over([]), host: primary.host, port: primary.port })
      const promised: unknown = await plain.connect()
      const client = new Client(over([standby, primary]))
      const connecting = client.connect()
      expect((await failureOf(client.connect())).message).toBe((await failureOf(plain.connect())).message)
      expect(await connecting).toBe(promised === plain ? client : promised)

      const other = new Client(over([standby, primary]))
      const order: string[] = []
      other.on('connect', () => order.push('connect'))
      await new Promise<void>((resolve) => {
        const returned: unknown = other.connect((...args: unknown[]) => {
          expect(args).toEqual([null, other])
          order.push('callback')
          setImmediate(resolve)
        })
        expect(returned).toBeUndefined()
      })
      expect(order).toEqual(['callback', 'connect'])
      const failing = new Client(over([dead, dead]))
      const args = await new Promise<unknown[]>((resolve) => failing.connect((...all: unknown[]) => resolve(all)))
      expect(args).toMatchObject([{ code: 'ECONNREFUSED' }])
      await Promise.all([plain.end(), client.end(), other.end()])
    })

    it('spreads connections with loadBalanceHosts=random', async () => {
      const taken = new Set<number>()
      // 40 in a row on one of two hosts: once in 500 billion runs.
      for (let round = 0; round < 40 && taken.size < 2; round++) {
        const client = new Client(
          over([standby, hosts['T']!], { targetSessionAttrs: 'standby', loadBalanceHosts: 'random' }),
        )
        await client.connect()
        taken.add(client.port)
        await client.end()
      }
      expect(taken.size).toBe(2)
    })

    it('refuses a ready-made stream or connection for several hosts, by name', () => {
      for (const [name, value] of [
        ['stream', new Socket()],
        ['connection', {}],
      ] as const) {
        const options = over([standby, primary], { [name]: value })
        expect(() => new Client(options)).toThrow(`${name}: a ready-made ${name} leads to one host, but 2 are listed`)
        try {
          new Client(options)
        } catch (error) {
          expect(isConnInfoError(error)).toBe(true)
        }
      }
    })

    it('takes a function that makes streams, one for each host', async () => {
      let made = 0
      const stream = () => {
        made++
        return new Socket()
      }
      const client = new Client(over([standby, primary], { stream }))
      const before = made
      await client.connect()
      expect(await portOf(client)).toBe(primary.port)
      expect(made - before).toBe(2)
      await client.end()
    })

    it('is exactly a pg.Client with one host and nothing of ours', async () => {
      const options = { ...over([]), hosts: undefined, host: primary.host, port: primary.port }
      const ours = new Client(options)
      const theirs = new pg.Client(options)
      expect(Object.getOwnPropertySymbols(ours)).toEqual(Object.getOwnPropertySymbols(theirs))
      expect(Object.keys(ours)).toEqual(Object.keys(theirs))
      const mine: unknown = await ours.connect()
      const its: unknown = await theirs.connect()
      expect(mine === ours).toBe(its === theirs)
      expect(await portOf(ours)).toBe(primary.port)
      await Promise.all([ours.end(), theirs.end()])
    })

    it('does not end the process when nobody listens for its loss, and shows no password', async () => {
      const client = new Client(over([standby, primary]))
      await client.connect()
      expect(inspect(client, { depth: 5 })).not.toContain(cluster.password)
      const { rows } = await client.query('select pg_backend_pid() as pid')
      const ended = new Promise<void>((resolve) => client.once('end', () => resolve()))
      await primary.query('select pg_terminate_backend($1)', [rows[0].pid])
      await ended
    })
  })
}
