import { EventEmitter } from 'node:events'
import type { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Listening } from '../../../src/pool/listening'
import type { ListenPort } from '../../../src/pool/listen-port'
import type { ListenEvent } from '../../../src/pool/subscription'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** As much of a client as a session that listens touches. */
class FakeClient extends EventEmitter {
  readonly stream = Object.assign(new EventEmitter(), {
    destroyed: false,
    writable: true,
    destroy: () => {
      if (this.stream.destroyed) return
      this.stream.destroyed = true
      this.emit('end')
      this.#reject?.(new Error('Connection terminated unexpectedly'))
    },
  })
  readonly connection = Object.assign(new EventEmitter(), { stream: this.stream, sync: vi.fn() })
  readonly said: string[] = []
  /** What the server does with a statement; not to answer is the default. */
  answer: (text: string) => 'well' | 'nothing' | Error = () => 'well'
  #reject: ((error: Error) => void) | undefined

  connect(): Promise<void> {
    return this.query('connect').then(() => undefined)
  }

  query(text: string): Promise<unknown> {
    this.said.push(text)
    const answer = this.answer(text)
    if (answer instanceof Error) return Promise.reject(answer)
    if (answer === 'well') return Promise.resolve()
    return new Promise((_resolve, reject) => (this.#reject = reject))
  }

  end(): Promise<void> {
    this.said.push('goodbye')
    return Promise.resolve()
  }
}

/** Listens on fake clients, which are made in order. */
function stage(more: Partial<ListenPort> = {}) {
  const clients: FakeClient[] = []
  const prepared: ((client: FakeClient) => void)[] = []
  const listening = new Listening({
    ready: () => true,
    createClient() {
      const client = new FakeClient()
      prepared.shift()?.(client)
      clients.push(client)
      return client as unknown as Client
    },
    connectMillis: 1000,
    answerMillis: 1000,
    alive: { intervalMillis: 10_000, timeoutMillis: 500 },
    isFinal: () => false,
    holdMillis: 60_000,
    expired: (waitedMillis, cause) => new Error(`waited ${waitedMillis} ms`, { cause }),
    ...more,
  })
  return { listening, clients, prepared }
}

const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)

describe('a session that says nothing', () => {
  it('is asked for a sign of life, and cut if none comes', async () => {
    const { listening, clients } = stage()
    const told: ListenEvent[] = []
    await listening.listen('a', (event) => told.push(event))
    const [first] = clients
    await vi.advanceTimersByTimeAsync(10_000)
    expect(first?.connection.sync).toHaveBeenCalledTimes(1)
    first?.connection.emit('readyForQuery')
    await vi.advanceTimersByTimeAsync(10_400)
    expect(first?.connection.sync).toHaveBeenCalledTimes(2)
    expect([told.length, clients.length]).toEqual([0, 1])
    await vi.advanceTimersByTimeAsync(200)
    expect(first?.stream.destroyed).toBe(true)
    expect(clients.map(({ said }) => said)).toEqual([
      ['connect', 'LISTEN "a"'],
      ['connect', 'LISTEN "a"'],
    ])
    // Since the last sign of life that came: asked for at 10,000, missed at 20,500, and the time it took to connect anew.
    expect(told).toEqual([{ type: 'gap', channel: 'a', millis: expect.any(Number) }])
    expect((told[0] as { millis: number }).millis).toBeGreaterThanOrEqual(10_500)
    listening.end()
  })

  it('is cut if LISTEN goes unanswered', async () => {
    const { listening, clients, prepared } = stage()
    prepared.push((client) => (client.answer = (text) => (text === 'connect' ? 'well' : 'nothing')))
    const subscription = listening.listen('a', () => undefined)
    await vi.advanceTimersByTimeAsync(1100)
    expect(clients.map(({ stream }) => stream.destroyed)).toEqual([true, false])
    await expect(subscription).resolves.toMatchObject({ channel: 'a' })
    listening.end()
  })
})

it('what a new session tells before it has confirmed is told after the gap', async () => {
  const { listening, clients, prepared } = stage()
  const told: string[] = []
  await listening.listen('a', (event) => told.push(event.type === 'gap' ? 'gap' : event.payload))
  prepared.push((client) => {
    client.answer = (text) => {
      if (text !== 'connect') client.emit('notification', { channel: 'a', payload: 'early', processId: 1 })
      return 'well'
    }
  })
  clients[0]?.emit('notification', { channel: 'a', payload: 'before', processId: 1 })
  clients[0]?.stream.destroy()
  await vi.advanceTimersByTimeAsync(100)
  expect(told).toEqual(['before', 'gap', 'early'])
  listening.end()
})

it('what a handler throws keeps no other one from hearing, and is not lost', async () => {
  const thrown = vi.spyOn(process, 'nextTick').mockImplementation(() => undefined)
  const { listening, clients } = stage()
  const told: string[] = []
  const error = new Error('of the handler')
  await listening.listen('a', () => {
    throw error
  })
  await listening.listen('a', (event) => told.push(event.type))
  clients[0]?.emit('notification', { channel: 'a', payload: '', processId: 1 })
  expect(told).toEqual(['notification'])
  const [later] = thrown.mock.calls.map(([callback]) => callback as () => void)
  thrown.mockRestore()
  expect(later).toThrow(error)
  listening.end()
})

describe('where nobody lets it in', () => {
  it('tries again and again, less and less often, and tells whoever has waited long enough', async () => {
    const { listening, clients, prepared } = stage()
    const refused = new Error('refused')
    for (let attempt = 0; attempt < 100; attempt += 1) prepared.push((client) => (client.answer = () => refused))
    const failed = listening.listen('a', () => undefined).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(1000)
    expect(clients.length).toBeGreaterThan(3)
    const early = clients.length
    await vi.advanceTimersByTimeAsync(59_000)
    expect(await failed).toMatchObject({ message: 'waited 60000 ms', cause: refused })
    expect(clients.length - early).toBeLessThanOrEqual(60)
    // Nobody wants to listen any more, so nobody tries.
    const last = clients.length
    await vi.advanceTimersByTimeAsync(60_000)
    expect([clients.length, vi.getTimerCount()]).toEqual([last, 0])
  })

  it('tells at once what will not change', async () => {
    const { listening, prepared } = stage({ isFinal: () => true })
    const refused = new Error('refused')
    prepared.push((client) => (client.answer = () => refused))
    await expect(listening.listen('a', () => undefined)).rejects.toBe(refused)
    await vi.advanceTimersByTimeAsync(2000)
    expect(vi.getTimerCount()).toBe(0)
  })
})

it('keeps the process alive while it waits for a host, until nobody listens any more', async () => {
  const timers = vi.spyOn(globalThis, 'setTimeout')
  let ready = true
  const { listening, clients } = stage({ ready: () => ready })
  const subscription = await listening.listen('a', () => undefined)
  ready = false
  clients[0]?.stream.destroy()
  await vi.advanceTimersByTimeAsync(5000)
  expect([clients.length, vi.getTimerCount()]).toEqual([1, 1])
  const place = timers.mock.calls.findIndex(([, millis]) => millis === 2 ** 31 - 1)
  expect((timers.mock.results[place]?.value as NodeJS.Timeout).hasRef()).toBe(true)
  await subscription.close()
  await settled()
  expect(vi.getTimerCount()).toBe(0)
  timers.mockRestore()
})

it('end() cuts what is under way, and whoever waits is answered', async () => {
  const { listening, clients, prepared } = stage()
  prepared.push((client) => (client.answer = () => 'nothing'))
  const waiting = listening.listen('a', () => undefined)
  listening.end()
  await expect(waiting).rejects.toThrow('Cannot use a pool after calling end on the pool')
  await settled()
  expect(clients.map(({ stream }) => stream.destroyed)).toEqual([true])
  expect(vi.getTimerCount()).toBe(0)
})
