import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dial, type Dial, type SessionNews } from '../../../src/client/dial'
import { connectionOf } from '../../../src/client/pg-internals'
import { mismatch, type SessionRole } from '../../../src/core/selection/target-session-attrs'
import { FaultProxy, poll, startCluster, type Cluster, type Host } from '../../support'
import { bases } from './support/bases'
import { configuration, eventsOf } from './support/configuration'
import { tellsRole } from './support/role-messages'

let cluster: Cluster
let primary: Host
let standby: Host

beforeAll(async () => {
  cluster = await startCluster({ hosts: 2 })
  ;[primary, standby] = cluster.hosts as [Host, Host]
}, 60_000)
afterAll(() => cluster?.stop())

const readWrite = (role: SessionRole): string | undefined => mismatch('read-write', role)

function attempt(
  client: Client,
  Base: typeof Client,
  to: Partial<Dial> & Pick<Dial, 'options'>,
): Promise<Error | undefined> {
  return new Promise((resolve) => {
    dial(client, Base, { where: 'there:1', timeoutMillis: 10_000, ...to }, resolve)
  })
}

describe.each(bases)('dial with $name', ({ Base }) => {
  const onPrimary = () => configuration(cluster, primary)
  const onStandby = () => configuration(cluster, standby)

  it('takes a suitable host and is then an ordinary client', async () => {
    const client = new Base(onPrimary())
    const events = eventsOf(client)
    const order: string[] = []
    client.on('connect', () => order.push('connect'))
    const queued = client.query('select 1 as one').then(() => order.push('query'))
    const failed = await new Promise<Error | undefined>((resolve) => {
      const accept = (role: SessionRole): undefined => void order.push(`accept ${role.inHotStandby}`)
      dial(client, Base, { options: onPrimary(), where: 'p', timeoutMillis: 10_000, accept }, (error) => {
        order.push('callback')
        resolve(error)
      })
    })
    await queued
    expect(failed).toBeUndefined()
    expect(order).toEqual(['accept false', 'callback', 'connect', 'query'])
    expect(client).toMatchObject({ port: primary.port, _connected: true, _connecting: false, _ended: false })
    await client.end()
    expect(events.filter((event) => event !== 'drain')).toEqual(['connect', 'end'])
  })

  it('refuses a host by its role, silently, and the client may be dialled again', async () => {
    const client = new Base(onStandby())
    const events = eventsOf(client)
    const queued = client.query('select inet_server_port() as port, pg_is_in_recovery() as recovery')
    const refused = await attempt(client, Base, { options: onStandby(), accept: readWrite, where: 'db2:5432' })
    expect(refused?.message).toBe('db2:5432: session is read-only')
    expect(connectionOf(client).stream.destroyed).toBe(true)
    expect(events).toEqual([])
    expect(await attempt(client, Base, { options: onPrimary(), accept: readWrite })).toBeUndefined()
    expect((await queued).rows).toEqual([{ port: primary.port, recovery: false }])
    expect(client).toMatchObject({ port: primary.port, host: primary.host })
    expect((await client.query('select pg_backend_pid() as pid')).rows[0]).toEqual({
      pid: (client as unknown as { processID: number }).processID,
    })
    await client.end()
    expect(events.filter((event) => event !== 'drain')).toEqual(['connect', 'end'])
  })

  it('hands on what the host or the server said, the same object, and may be dialled again', async () => {
    const client = new Base(onPrimary())
    const events = eventsOf(client)
    const gone = await attempt(client, Base, { options: configuration(cluster, { host: '127.0.0.1', port: 1 }) })
    expect(gone).toMatchObject({ code: 'ECONNREFUSED' })
    const wrong = await attempt(client, Base, { options: { ...onPrimary(), password: 'wrong' } })
    expect(wrong).toMatchObject({ code: '28P01', severity: 'FATAL' })
    const none = await attempt(client, Base, { options: { ...onPrimary(), database: 'nowhere' } })
    expect(none).toMatchObject({ code: '3D000' })
    const bad = await attempt(client, Base, { options: { ...onPrimary(), port: 70_000 } })
    expect(bad).toMatchObject({ code: 'ERR_SOCKET_BAD_PORT' })
    expect(events).toEqual([])
    expect(await attempt(client, Base, { options: onPrimary(), accept: readWrite })).toBeUndefined()
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await client.end()
  })

  it('gives up a host that does not answer when the time is over', async () => {
    await standby.freeze()
    try {
      const client = new Base(onStandby())
      const options = { ...onStandby(), connectionTimeoutMillis: 1 }
      const late = await attempt(client, Base, { options, timeoutMillis: 100, where: 'db2:5432' })
      expect(late).toMatchObject({ code: 'ETIMEDOUT' })
      expect(late?.message).toContain('db2:5432: no session within 100 ms')
      expect(connectionOf(client).stream.destroyed).toBe(true)
      expect(await attempt(client, Base, { options: onPrimary() })).toBeUndefined()
      await client.end()
    } finally {
      await standby.thaw()
    }
  })

  it('can be aborted, once', async () => {
    const client = new Base(onPrimary())
    const reason = new Error('enough')
    const answers: unknown[] = []
    const dialling = dial(client, Base, { options: onPrimary(), where: 'p', timeoutMillis: 0 }, (error) =>
      answers.push(error),
    )
    dialling.abort(reason)
    dialling.abort(new Error('again'))
    await poll(() => answers.length > 0, { what: 'an answer' })
    expect(answers).toEqual([reason])
    expect(connectionOf(client).stream.destroyed).toBe(true)
  })

  it('never lets a password that comes too late reach the next host', async () => {
    const client = new Base(onPrimary())
    let answer: (password: string) => void = () => {}
    const password = () => new Promise<string>((resolve) => (answer = resolve))
    const late = await attempt(client, Base, { options: { ...onStandby(), password }, timeoutMillis: 100 })
    expect(late).toMatchObject({ code: 'ETIMEDOUT' })
    const next = attempt(client, Base, { options: onPrimary() })
    answer('the old one')
    expect(await next).toBeUndefined()
    expect(client.password).toBe(cluster.password)
    await client.end()
  })

  it('calls a password function for each host', async () => {
    const client = new Base(onPrimary())
    let calls = 0
    const password = () => (++calls === 1 ? 'wrong' : cluster.password)
    expect(await attempt(client, Base, { options: { ...onStandby(), password } })).toMatchObject({ code: '28P01' })
    expect(await attempt(client, Base, { options: { ...onPrimary(), password } })).toBeUndefined()
    expect(calls).toBe(2)
    await client.end()
  })

  it('reports a password function that throws, and what pg emits on the client itself', async () => {
    const client = new Base({ ...onPrimary(), password: undefined })
    const events = eventsOf(client)
    const wrapped = client.emit
    const throwing = () => {
      throw new Error('no secret today')
    }
    const thrown = await attempt(client, Base, { options: { ...onPrimary(), password: throwing } })
    expect(thrown?.message).toBe('no secret today')
    // As pg does for a password file it cannot read; the password itself never comes.
    const emitting = () => {
      client.emit('error', new Error('unreadable'))
      return new Promise<string>(() => {})
    }
    const emitted = await attempt(client, Base, { options: { ...onPrimary(), password: emitting } })
    expect(emitted?.message).toBe('unreadable')
    expect(client.emit).toBe(wrapped)
    expect(events).toEqual([])
  })

  it('asks a server that does not report its role', async () => {
    for (const [host, verdict] of [
      [primary, undefined],
      [standby, 'there:1: session is read-only'],
    ] as const) {
      const proxy = await FaultProxy.start(host.port, { hides: tellsRole })
      try {
        const client = new Base(onPrimary())
        const events = eventsOf(client)
        const options = configuration(cluster, { host: '127.0.0.1', port: proxy.port })
        const seen: SessionRole[] = []
        const accept = (role: SessionRole) => {
          seen.push(role)
          return readWrite(role)
        }
        const failed = await attempt(client, Base, { options, accept })
        expect(failed?.message).toBe(verdict)
        expect(seen).toEqual([{ inHotStandby: host === standby, defaultTransactionReadOnly: false }])
        if (failed === undefined) {
          expect((await client.query('select 2 as two')).rows).toEqual([{ two: 2 }])
          await client.end()
        } else expect(events).toEqual([])
      } finally {
        await proxy.close()
      }
    }
  })

  it('tells the news of a session before pg does', async () => {
    const client = new Base(onPrimary())
    const news: SessionNews[] = []
    const heard: string[] = []
    client.on('error', () => heard.push(`error after ${news.length}`))
    expect(
      await attempt(client, Base, { options: onPrimary(), accept: readWrite, observe: (n) => void news.push(n) }),
    ).toBeUndefined()
    await client.query('set default_transaction_read_only = on')
    await client.query("do $$ begin raise warning 'w' using errcode = '57P01'; end $$")
    await client.query('select 1/0').catch(() => {})
    expect(news.slice(0, 2)).toEqual([
      { type: 'role', role: { inHotStandby: false, defaultTransactionReadOnly: true } },
      { type: 'notice', sqlstate: '57P01' },
    ])
    expect(news[2]).toMatchObject({ type: 'error', error: { code: '22012' } })
    const ended = new Promise<void>((resolve) => client.once('end', resolve))
    await primary.query('select pg_terminate_backend($1)', [(client as unknown as { processID: number }).processID])
    await ended
    expect(news[3]).toMatchObject({ type: 'error', error: { code: '57P01' } })
    expect(news.at(-1)).toEqual({ type: 'end' })
    expect(heard[0]).toBe('error after 4')
  })

  it("keeps the fields and the connect of a user's subclass", async () => {
    class Theirs extends Base {
      readonly log: string[] = []
      override connect(callback?: unknown): never {
        const done = callback as (error?: Error | null) => void
        return super.connect((error: Error | null) => {
          if (error) return done(error)
          this.query("set application_name = 'theirs'", () => {
            this.log.push('prepared')
            done()
          })
        }) as never
      }
    }
    const Their = Theirs as unknown as typeof Client
    const client = new Their(onStandby())
    const { log } = client as unknown as Theirs
    log.push('made')
    expect(await attempt(client, Their, { options: onStandby(), accept: readWrite })).toBeInstanceOf(Error)
    expect(await attempt(client, Their, { options: onPrimary(), accept: readWrite })).toBeUndefined()
    expect((await client.query('show application_name')).rows).toEqual([{ application_name: 'theirs' }])
    expect(log).toEqual(['made', 'prepared'])
    await client.end()
  })
})
