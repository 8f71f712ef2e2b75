import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HostSelectionTimeoutError, WaitQueueFullError } from '../../../src/errors'
import { afterEnd } from '../../../src/pool/checkout-errors'
import { beginCall, resume } from '../../../src/pool/ticket'
import { FakeReaders } from './support/fake-readers'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const pool = (hosts = ['a', 'b'], options: ConstructorParameters<typeof FakeReaders>[1] = {}): FakeReaders =>
  new FakeReaders(hosts, options)

describe('where a read goes', () => {
  it('is chosen anew for each', () => {
    const reads = pool()
    for (let n = 0; n < 4; n += 1) reads.read()
    expect(reads.open).toBe('a a b b')
  })

  it('is where fewer are: what is in flight counts at the moment of the choice', () => {
    const reads = pool(['a', 'b'], { loadBalance: 'least-requests' })
    reads.read()
    reads.pool('a').inFlight = 3
    for (let n = 0; n < 4; n += 1) reads.read()
    expect(reads.pool('b').open.length).toBeGreaterThanOrEqual(4)
    reads.pool('b').inFlight = 5
    reads.read()
    expect(reads.pool('a').open.length).toBeGreaterThanOrEqual(1)
  })

  it('is nowhere without weight, while there are others', () => {
    const reads = pool()
    reads.weights.set('a', 0)
    for (let n = 0; n < 3; n += 1) reads.read()
    expect(reads.open).toBe('b b b')
  })

  it('changes with the hosts that will do', () => {
    const reads = pool()
    reads.read()
    reads.hosts = ['c']
    reads.read()
    expect(reads.open).toBe('a c')
  })

  it('is one pool for each host, whoever comes and goes', () => {
    const reads = pool(['a'])
    reads.read()
    reads.hosts = ['b']
    reads.read()
    reads.hosts = ['a']
    reads.read()
    expect(reads.open).toBe('a a b')
    expect(reads.readers.hosts).toEqual(['a', 'b'])
  })
})

describe('a request that fails before anything was sent', () => {
  it('by the fault of the host goes to another one, and the host is left alone', () => {
    const reads = pool()
    const reading = reads.read()
    reads.refuse('a', 'host')
    expect({ banned: reads.banned, open: reads.open, told: reading.told }).toEqual({
      banned: ['a'],
      open: 'b',
      told: [],
    })
    reads.take('b').answer(undefined, 'rows')
    expect(reading.told).toEqual(['rows'])
  })

  it("by nobody's fault is made again, and nobody is left alone", () => {
    const reads = pool(['a'])
    const reading = reads.read()
    reads.refuse('a', 'nobody')
    expect({ banned: reads.banned, open: reads.open, told: reading.told }).toEqual({ banned: [], open: 'a', told: [] })
  })

  it("by the caller's fault is the caller's answer", () => {
    const reads = pool()
    const reading = reads.read()
    reads.refuse('a', 'caller')
    expect({ banned: reads.banned, open: reads.open, told: reading.told }).toEqual({
      banned: [],
      open: '',
      told: ['a says no'],
    })
  })

  it('for a client, the same', () => {
    const reads = pool()
    const reading = reads.connect()
    reads.refuse('a', 'host')
    reads.take('b').serve()
    expect({ banned: reads.banned, told: reading.told }).toEqual({ banned: ['a'], told: ['a client'] })
  })

  it('waits where nobody is left', () => {
    const reads = pool(['a'])
    const reading = reads.read()
    reads.refuse('a', 'host')
    expect(reads.readers.held).toBe(1)
    reads.hosts = ['b']
    reads.readers.changed()
    reads.take('b').answer(undefined, 'rows')
    expect(reading.told).toEqual(['rows'])
  })
})

it('what was sent has its own answer: it goes nowhere else, and its host is not left alone for it', () => {
  const reads = pool()
  const reading = reads.read()
  const request = reads.take('a')
  request.serve()
  request.answer(reads.blame.put('host', new Error('connection lost')))
  expect({ banned: reads.banned, open: reads.open, told: reading.told }).toEqual({
    banned: [],
    open: '',
    told: ['connection lost'],
  })
})

describe('while there is no host', () => {
  it('whoever does not wait is told so', () => {
    const reads = pool([])
    const none = vi.fn()
    const reading = reads.read({ none })
    expect(none).toHaveBeenCalledTimes(1)
    expect({ told: reading.told, held: reads.readers.held }).toEqual({ told: [], held: 0 })
  })

  it('nor does he after a host that would not have him', () => {
    const reads = pool(['a'])
    const none = vi.fn()
    reads.read({ none })
    reads.refuse('a', 'host')
    expect(none).toHaveBeenCalledTimes(1)
    expect(reads.readers.held).toBe(0)
  })

  it('callers are held, and go on in the order in which they came, when there is one', () => {
    const reads = pool([])
    const third = reads.read({ arrival: 30 })
    const first = reads.read({ arrival: 10 })
    const second = reads.read({ arrival: 20 })
    expect({ held: reads.readers.held, told: reads.held.at(-1) }).toEqual({ held: 3, told: true })
    reads.readers.changed()
    expect(reads.readers.held).toBe(3)
    reads.hosts = ['a']
    reads.readers.changed()
    expect({ held: reads.readers.held, told: reads.held.at(-1) }).toEqual({ held: 0, told: false })
    for (let n = 0; n < 3; n += 1) reads.take('a').answer(undefined, 'rows')
    expect(reads.told).toEqual([first, second, third])
  })

  it('those who follow stay, if the host is gone again after the first', () => {
    const reads = pool([])
    const told = vi.fn()
    reads.readers.whenAvailable(beginCall(0), () => void (reads.hosts = []))
    reads.readers.whenAvailable(beginCall(1), told)
    reads.hosts = ['a']
    reads.readers.changed()
    expect([told.mock.calls.length, reads.readers.held, reads.held.at(-1)]).toEqual([0, 1, true])
  })

  it('time alone may bring one back', () => {
    const reads = pool([])
    reads.nextReturn = performance.now() + 300
    reads.read()
    vi.advanceTimersByTime(299)
    reads.hosts = ['a']
    expect(reads.readers.held).toBe(1)
    vi.advanceTimersByTime(1)
    expect(reads.open).toBe('a')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('and is not waited for when one has come before', () => {
    const reads = pool([])
    reads.nextReturn = performance.now() + 300
    reads.read()
    reads.hosts = ['a']
    reads.readers.changed()
    expect([reads.open, vi.getTimerCount()]).toEqual(['a', 0])
  })

  it('and again, where it did not the first time', () => {
    const reads = pool([])
    reads.nextReturn = performance.now() + 300
    reads.read()
    vi.advanceTimersByTime(200)
    reads.nextReturn = performance.now() + 300
    vi.advanceTimersByTime(100)
    reads.hosts = ['a']
    vi.advanceTimersByTime(200)
    expect(reads.open).toBe('a')
  })

  it('a caller is held until his time is up, and is told why there was no host', () => {
    const reads = pool([], { limits: { connectionTimeoutMillis: undefined, failoverTimeoutMillis: 1000 } })
    const first = reads.read()
    vi.advanceTimersByTime(400)
    const second = reads.read()
    vi.advanceTimersByTime(600)
    expect([first.told.length, second.told.length, reads.held.at(-1)]).toEqual([1, 0, true])
    expect(first.errors[0]).toBeInstanceOf(HostSelectionTimeoutError)
    expect(first.errors[0]).toMatchObject({
      limit: 'failoverTimeoutMillis',
      waitedMillis: 1000,
      hosts: [{ host: 'c', reason: 'is too far behind' }],
    })
    vi.advanceTimersByTime(400)
    expect([second.told.length, reads.held.at(-1), vi.getTimerCount()]).toEqual([1, false, 0])
  })

  it('the times for which a caller is held add up, and what lies between does not count', () => {
    const reads = pool([], { limits: { connectionTimeoutMillis: undefined, failoverTimeoutMillis: 1000 } })
    const reading = reads.read()
    vi.advanceTimersByTime(600)
    reads.hosts = ['a']
    reads.readers.changed()
    vi.advanceTimersByTime(5000)
    reads.refuse('a', 'host')
    vi.advanceTimersByTime(399)
    expect(reading.told).toEqual([])
    vi.advanceTimersByTime(1)
    expect(reading.errors[0]).toBeInstanceOf(HostSelectionTimeoutError)
  })

  it('no more are held than may be, but for one whose statement was sent already', () => {
    const reads = pool([], { maxWaiting: 1 })
    const first = reads.read()
    const second = reads.read()
    expect(second.errors[0]).toBeInstanceOf(WaitQueueFullError)
    resume(second.call, performance.now())
    const again = reads.read({ call: second.call })
    expect([first.told, again.told, reads.readers.held]).toEqual([[], [], 2])
  })

  it('failAll tells everybody', () => {
    const reads = pool([])
    const readings = [reads.read(), reads.connect()]
    reads.readers.failAll(new Error('wrong password'))
    expect(readings.map(({ told }) => told)).toEqual([['wrong password'], ['wrong password']])
    expect([reads.readers.held, reads.held.at(-1), vi.getTimerCount()]).toEqual([0, false, 0])
  })
})

describe('a signal', () => {
  it('that is none is refused', () => {
    const reading = pool().read({ signal: {} as AbortSignal })
    expect(reading.told).toEqual(['signal: must be an AbortSignal, not object'])
  })

  it('that was aborted before sends nothing', () => {
    const reads = pool()
    const reading = reads.read({ signal: AbortSignal.abort(new Error('too late')) })
    expect([reading.told, reads.open]).toEqual([['too late'], ''])
  })

  it('ends the hold of this caller, and of nobody else', () => {
    const reads = pool([])
    const controller = new AbortController()
    const first = reads.read({ signal: controller.signal })
    const second = reads.read()
    controller.abort(new Error('enough'))
    expect([first.told, second.told, reads.readers.held, reads.held.at(-1)]).toEqual([['enough'], [], 1, true])
  })

  it('ends the hold of the last one, and nothing is left of it', () => {
    const reads = pool([])
    const controller = new AbortController()
    reads.read({ signal: controller.signal })
    controller.abort()
    expect([reads.readers.held, reads.held.at(-1), vi.getTimerCount()]).toEqual([0, false, 0])
  })

  it('ends the hold of whoever waits for a host to ask', () => {
    const reads = pool([])
    const controller = new AbortController()
    const told = vi.fn()
    const { call } = reads.read({ signal: controller.signal })
    reads.readers.whenAvailable(call, told)
    controller.abort(new Error('enough'))
    expect(told.mock.calls[0]?.[0]).toMatchObject({ message: 'enough' })
  })

  it('ends the wait for a client, once', () => {
    const reads = pool()
    const controller = new AbortController()
    const reading = reads.read({ signal: controller.signal })
    controller.abort(new Error('enough'))
    expect(reading.told).toEqual(['enough'])
    reads.take('a').answer(undefined, 'rows')
    expect(reading.told).toEqual(['enough'])
  })

  it('has nobody held who was told already', () => {
    const reads = pool(['a'])
    const controller = new AbortController()
    const reading = reads.read({ signal: controller.signal })
    controller.abort(new Error('enough'))
    reads.refuse('a', 'host')
    expect([reading.told, reads.readers.held, vi.getTimerCount()]).toEqual([['enough'], 0, 0])
  })

  it('changes nothing for what was sent', () => {
    const reads = pool()
    const controller = new AbortController()
    const reading = reads.read({ signal: controller.signal })
    const request = reads.take('a')
    request.serve()
    controller.abort()
    expect(reading.told).toEqual([])
    request.answer(undefined, 'rows')
    expect(reading.told).toEqual(['rows'])
  })
})

describe('a pause', () => {
  it('holds everybody, although there are hosts, until it is over', () => {
    const reads = pool()
    reads.readers.pause()
    const told = vi.fn()
    reads.readers.whenAvailable(beginCall(0), told)
    const reading = reads.read()
    reads.readers.changed()
    expect([reads.open, reads.readers.pick(), told.mock.calls.length]).toEqual(['', undefined, 0])
    reads.readers.resume()
    expect(told).toHaveBeenCalledTimes(1)
    reads.take('a').answer(undefined, 'rows')
    expect(reading.told).toEqual(['rows'])
  })

  it('is what a caller is told whose time is up in it', () => {
    const reads = pool(['a'], { limits: { connectionTimeoutMillis: 500, failoverTimeoutMillis: undefined } })
    reads.readers.pause()
    const reading = reads.read()
    vi.advanceTimersByTime(500)
    expect(reading.told[0]).toContain('the pool is paused; call resume()')
    expect(reading.errors[0]).toMatchObject({ limit: 'connectionTimeoutMillis', hosts: [] })
  })
})

describe('the end', () => {
  it('answers those who are held, and leaves nothing', () => {
    const reads = pool([])
    const reading = reads.read()
    void reads.readers.end()
    expect([reading.told, reads.readers.held, vi.getTimerCount()]).toEqual([[afterEnd], 0, 0])
  })

  it('answers those in the hands of pg-pool, once', () => {
    const reads = pool(['a'])
    const [reading, connecting] = [reads.read(), reads.connect()]
    void reads.readers.end()
    expect([reading.told, connecting.told]).toEqual([[afterEnd], [afterEnd]])
    reads.take('a').fail(reads.blame.put('host', new Error('gone')))
    const request = reads.take('a')
    request.serve()
    expect([reading.told, connecting.told]).toEqual([[afterEnd], [afterEnd]])
    // Nobody holds it: it goes back.
    expect(reads.pool('a').clients[0]?.release).toHaveBeenCalledTimes(1)
    expect([reads.banned, reads.open]).toEqual([[], ''])
  })

  it('leaves what was sent its own answer', () => {
    const reads = pool(['a'])
    const reading = reads.read()
    const request = reads.take('a')
    request.serve()
    void reads.readers.end()
    expect(reading.told).toEqual([])
    request.answer(undefined, 'rows')
    expect(reading.told).toEqual(['rows'])
  })

  it('sends nobody elsewhere: who comes later and is refused is told that it has ended', () => {
    const reads = pool(['a', 'b'])
    void reads.readers.end()
    const reading = reads.read()
    reads.refuse('a', 'host')
    expect([reading.told, reads.banned, reads.open]).toEqual([[afterEnd], [], ''])
  })

  it('holds nobody any more', () => {
    const reads = pool([])
    void reads.readers.end()
    expect(reads.read().told).toEqual([afterEnd])
  })

  it('is over when the pools have ended', async () => {
    const reads = pool()
    reads.read()
    reads.read()
    const over = vi.fn()
    const ended = reads.readers.end().then(over)
    reads.pool('a').ended?.()
    await vi.advanceTimersByTimeAsync(10)
    expect(over).not.toHaveBeenCalled()
    reads.pool('b').ended?.()
    await ended
    expect(over).toHaveBeenCalledTimes(1)
  })
})
