import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Clients } from '../../../src/pool/clients'
import { ReaderPool } from '../../../src/pool/reader-pool'
import type { Fits } from '../../../src/pool/reader-pool'
import { beginSession, sessionBegun } from '../../../src/pool/session'
import type { Client, Session } from '../../../src/pool/session'
import { beginCall } from '../../../src/pool/ticket'
import type { Call } from '../../../src/pool/ticket'

type Callback = (error?: Error | null, result?: unknown) => void

/** As much of a client as pg-pool and a pool of readers touch: it connects and answers when a test says so. */
class ReaderClient extends EventEmitter {
  static made: ReaderClient[] = []
  readonly stream = Object.assign(new EventEmitter(), { destroyed: false, writable: true, destroy: vi.fn() })
  readonly connection = Object.assign(new EventEmitter(), { stream: this.stream, sync: vi.fn() })
  readonly sent: { readonly text: unknown; readonly answer: Callback }[] = []
  _queryable = true
  _ending = false

  constructor() {
    super()
    ReaderClient.made.push(this)
  }

  connect(callback: Callback): void {
    beginSession(this as unknown as Client, 'a:1', 1, performance.now())
    process.nextTick(callback)
  }

  query(text: unknown, _values: unknown, answer: Callback): void {
    this.sent.push({ text, answer })
  }

  end(callback?: Callback): void {
    this._ending = true
    callback?.()
  }

  ref(): void {
    // Nothing keeps the process alive here.
  }

  unref(): void {
    // Nor this.
  }

  get session(): Session {
    return sessionBegun(this as unknown as Client)
  }

  answer(result: unknown = 'rows'): void {
    this.sent.shift()?.answer(null, result)
  }
}

beforeEach(() => {
  vi.useFakeTimers()
  ReaderClient.made = []
})
afterEach(() => void vi.useRealTimers())

const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)

function open(max = 2) {
  const clients = new Clients()
  const dead: string[] = []
  const heard: unknown[] = []
  const connectionString = 'postgres://app:secret@a:1/shop'
  const options = { max, Client: ReaderClient, idleTimeoutMillis: 0, connectionString }
  const pool = new ReaderPool(options, {
    clients,
    aliveCheckMillis: 1000,
    aliveTimeoutMillis: 200,
    dead: (session) => void dead.push(session.host),
    inVain: () => new Error('not one to read from now'),
    heard: (event, args) => void heard.push(event === 'error' ? args[0] : event),
  })
  const run = (call: Call = beginCall(performance.now()), fits?: Fits) => {
    const told: unknown[] = []
    pool.run(call, 'select 1', undefined, (error, result) => void told.push(error ?? result), fits)
    return { call, told }
  }
  return { pool, clients, dead, heard, run }
}

/** A pool with one idle client. */
async function idle() {
  const opened = open(1)
  opened.run()
  await settled()
  const client = ReaderClient.made[0]!
  client.answer()
  return { ...opened, client }
}

describe('a statement', () => {
  it('is sent on a client of its own, and its call knows the session from then on', async () => {
    const { run, clients } = open()
    const { call, told } = run()
    expect(call.session).toBeUndefined()
    await settled()
    const client = ReaderClient.made[0]!
    expect(call.session).toBe(client.session)
    expect(client.sent[0]?.text).toBe('select 1')
    expect([client.session.onStatement, clients.busy]).toEqual([true, [client]])
    client.answer()
    expect(told).toEqual(['rows'])
    expect([client.session.onStatement, clients.busy]).toEqual([false, []])
  })

  it('whose caller has gone away is not sent, and gives its client back', async () => {
    const { pool, run } = open()
    const controller = new AbortController()
    const { call, told } = run(beginCall(0, controller.signal))
    controller.abort(new Error('enough'))
    await settled()
    expect(told).toMatchObject([{ message: 'enough' }])
    expect(call.session).toBeUndefined()
    expect([ReaderClient.made[0]?.sent, pool.idleCount, pool.inFlight]).toEqual([[], 1, 0])
  })

  it('for which the session will not do is not sent, and gives its client back', async () => {
    const { pool, run } = open()
    const fits = vi.fn(() => false)
    const { call, told } = run(undefined, fits)
    await settled()
    expect(fits).toHaveBeenCalledExactlyOnceWith(ReaderClient.made[0]!.session)
    expect([told, call.session]).toMatchObject([[{ message: 'not one to read from now' }], undefined])
    expect([ReaderClient.made[0]?.sent, pool.idleCount, pool.inFlight]).toEqual([[], 1, 0])
  })

  it('lends its call, and what it asks of a session, to nobody who comes after it', async () => {
    const { pool, run } = open()
    const { call } = run(undefined, () => true)
    const told = vi.fn()
    pool.connect(told)
    await settled()
    const [, second] = ReaderClient.made
    expect(call.session).not.toBe(second!.session)
    expect(told.mock.calls[0]?.[1]).toBe(second)
    expect(second!.session.onStatement).toBe(false)
  })
})

it('what pg-pool refuses by itself lends its call to nobody either', async () => {
  const { pool } = open()
  const call = beginCall(0)
  pool.run(
    call,
    () => undefined,
    undefined,
    () => undefined,
  )
  pool.connect(() => undefined)
  await settled()
  expect([ReaderClient.made.length, call.session]).toEqual([1, undefined])
})

it('in flight are those who have a client, are being connected, or wait', async () => {
  const { pool, run } = open(1)
  for (let n = 0; n < 3; n += 1) run()
  expect(pool.inFlight).toBe(3)
  await settled()
  expect(pool.inFlight).toBe(3)
  for (const left of [2, 1, 0]) {
    ReaderClient.made[0]!.answer()
    await settled()
    expect(pool.inFlight).toBe(left)
  }
})

describe('an idle client', () => {
  it('that was used of late is handed out as it is', async () => {
    const { client, run } = await idle()
    vi.advanceTimersByTime(1000)
    run()
    await settled()
    expect(client.sent).toHaveLength(1)
    expect(client.connection.sync).not.toHaveBeenCalled()
  })

  it('that was not is asked for a sign of life first', async () => {
    const { client, run, dead } = await idle()
    vi.advanceTimersByTime(1001)
    const { call } = run()
    await settled()
    expect([client.sent.length, call.session]).toEqual([0, undefined])
    client.connection.emit('readyForQuery')
    expect([client.sent.length, call.session, dead]).toEqual([1, client.session, []])
    client.answer()
    // From then on it counts as used.
    vi.advanceTimersByTime(1000)
    run()
    await settled()
    expect(client.sent).toHaveLength(1)
  })

  it('that gives none is cut off, its host is told of, and nobody gets it', async () => {
    const { pool, client, run, dead, heard } = await idle()
    vi.advanceTimersByTime(1001)
    const { told } = run()
    await vi.advanceTimersByTimeAsync(200)
    expect(dead).toEqual(['a:1'])
    expect(client.stream.destroy).toHaveBeenCalledTimes(1)
    expect(told).toMatchObject([{ message: 'not one to read from now' }])
    expect([client.sent.length, pool.totalCount]).toEqual([0, 0])
    expect(heard.filter((each) => each instanceof Error)).toEqual([])
  })

  it.each(['retired', 'broken', 'announced'] as const)('that is %s is dismissed and its socket cut', async (gone) => {
    const { pool, client, run, dead } = await idle()
    client.session[gone] = true
    const { told } = run()
    await settled()
    expect(told).toMatchObject([{ message: 'not one to read from now' }])
    expect([client.sent.length, pool.totalCount, dead]).toEqual([0, 0, []])
    expect(client.stream.destroy).toHaveBeenCalled()
  })

  it('that answers and is not wanted any more meanwhile, too; its host is not told of', async () => {
    const { client, run, dead } = await idle()
    vi.advanceTimersByTime(1001)
    const { told } = run()
    await settled()
    client.session.retired = true
    client.connection.emit('readyForQuery')
    expect(told).toMatchObject([{ message: 'not one to read from now' }])
    expect([client.sent.length, dead]).toEqual([0, []])
  })
})

describe('what pg-pool emits', () => {
  it('is told, but for what a client is retired by', async () => {
    const { client, clients, heard, pool } = await idle()
    expect(heard).toEqual(['connect', 'acquire', 'release'])
    clients.retire(() => true)
    await settled()
    expect([client.stream.destroy.mock.calls.length, pool.totalCount]).toEqual([1, 0])
    expect(heard).toEqual(['connect', 'acquire', 'release', 'remove'])
  })

  it('keeps the book of clients: who was removed is not in it', async () => {
    const { client, clients } = await idle()
    client.emit('error', new Error('connection lost'))
    await settled()
    const seen = vi.fn(() => false)
    clients.retire(seen)
    expect(seen).not.toHaveBeenCalled()
  })

  it('of an error its listeners get no client along with it', async () => {
    const { client, heard } = await idle()
    const error = new Error('connection lost')
    client.emit('error', error)
    await settled()
    expect(heard).toContain(error)
    expect(Object.keys(error)).not.toContain('client')
  })
})

it('its options do not show the password', () => {
  expect(JSON.stringify(open().pool.options)).not.toContain('secret')
})
