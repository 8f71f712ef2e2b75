import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HostSelectionTimeoutError, SplitBrainError, WaitQueueFullError } from '../../../src/errors'
import { beginCall, pastOf } from '../../../src/pool/ticket'
import { dialled } from './support/fake-client'
import { FakePool } from './support/fake-port'

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('who is served', () => {
  it('is the oldest call, whichever request a client came for', () => {
    const pool = new FakePool()
    pool.setAvailable(true)
    const callers = [pool.enter({ arrival: 1 }), pool.enter({ arrival: 2 }), pool.enter({ arrival: 3 })]
    pool.open.reverse()
    const clients = [pool.deliver(), pool.deliver(), pool.deliver()]
    expect(callers.map(({ client }) => client)).toEqual(clients)
    expect(pool.served).toEqual(callers)
  })

  it('is a call that comes back before those that came after it', () => {
    const pool = new FakePool({ max: 1 })
    pool.setAvailable(true)
    const first = pool.enter({ arrival: 10 })
    pool.deliver()
    const second = pool.enter({ arrival: 20 })
    const again = pool.enter({ call: first.call })
    pool.deliver()
    pool.deliver()
    expect(pool.served).toEqual([first, again, second])
  })

  it('gets the session of the client it is given', () => {
    const pool = new FakePool()
    pool.setAvailable(true)
    const caller = pool.enter()
    const { client, session } = dialled('a:1', 7)
    pool.deliver({ client, session })
    expect(caller.call.session).toBe(session)
    expect(caller.settlements).toBe(1)
  })
})

describe('requests', () => {
  it('are never more than max, nor more than callers', () => {
    const pool = new FakePool({ max: 3 })
    pool.setAvailable(true)
    for (let n = 0; n < 2; n += 1) pool.enter()
    expect(pool.open).toHaveLength(2)
    for (let n = 0; n < 10; n += 1) pool.enter()
    expect(pool.open).toHaveLength(3)
    for (let n = 0; n < 12; n += 1) pool.deliver()
    expect(pool.served).toHaveLength(12)
    expect(pool.mostOpen).toBe(3)
    expect(pool.checkout.requests).toBe(0)
  })

  it('are not more than max either when hosts come and go while they are open', () => {
    const pool = new FakePool({ max: 3 })
    pool.setAvailable(true)
    for (let n = 0; n < 8; n += 1) pool.enter()
    for (let n = 0; n < 4; n += 1) {
      pool.setAvailable(false)
      pool.setAvailable(true)
      vi.advanceTimersByTime(100)
    }
    expect(pool.mostOpen).toBe(3)
  })

  it('are not made while there is no host, and begin with one when there is: more when that one is served', () => {
    const pool = new FakePool({ max: 3 })
    for (let n = 0; n < 8; n += 1) pool.enter()
    expect(pool.requested).toBe(0)
    expect(pool.checkout.held).toBe(8)
    pool.setAvailable(true)
    expect(pool.checkout.held).toBe(0)
    vi.advanceTimersByTime(20)
    expect(pool.open).toHaveLength(1)
    pool.deliver()
    expect(pool.open).toHaveLength(2)
    vi.advanceTimersByTime(1000)
    expect(pool.open).toHaveLength(3)
    expect(pool.checkout.waiting).toBe(7)
  })

  it('are more after a while although the first one is not served: a lost packet must not stop everybody', () => {
    const pool = new FakePool({ max: 3 })
    for (let n = 0; n < 8; n += 1) pool.enter()
    pool.setAvailable(true)
    vi.advanceTimersByTime(1000)
    expect(pool.open).toHaveLength(3)
  })

  it('are not fewer than those who wait while their number climbs: a released client goes to the next at once', () => {
    const pool = new FakePool({ max: 10 })
    for (let n = 0; n < 200; n += 1) pool.enter()
    pool.setAvailable(true)
    // No timer fires in here: every client is released as soon as it was delivered.
    for (let n = 0; n < 200; n += 1) pool.deliver()
    expect(pool.served).toHaveLength(200)
    expect(pool.checkout.waiting).toBe(0)
  })

  it.each([1, 2, 3])('are not more than callers when that first one is served: %i held', (held) => {
    const pool = new FakePool({ max: 10 })
    for (let n = 0; n < held; n += 1) pool.enter()
    pool.setAvailable(true)
    pool.deliver()
    expect(pool.open.length).toBeLessThanOrEqual(held - 1)
    vi.advanceTimersByTime(1000)
    expect(pool.open).toHaveLength(held - 1)
  })

  it('back off while the host refuses them, also after a hold', async () => {
    const pool = new FakePool({ max: 10 })
    for (let n = 0; n < 20; n += 1) pool.enter()
    // Too many clients already: the host lives, and each attempt fails at once.
    pool.onRequest = () => queueMicrotask(() => pool.refuse('sorry, too many clients already', 'host'))
    pool.setAvailable(true)
    await vi.advanceTimersByTimeAsync(2000)
    expect(pool.checkout.waiting).toBe(20)
    // What a host has to bear of one pool that cannot go on: 60 attempts a second.
    expect(pool.requested).toBeLessThanOrEqual(120)
  })

  it('back off longer each time, and begin anew with another leader', async () => {
    const pool = new FakePool({ max: 1 })
    pool.setAvailable(true)
    pool.enter()
    const pauses: number[] = []
    for (let n = 0; n < 9; n += 1) {
      pool.refuse('sorry, too many clients already', 'host')
      const refusedAt = performance.now()
      pool.onRequest = () => pauses.push(performance.now() - refusedAt)
      await vi.advanceTimersByTimeAsync(1000)
    }
    // Between half of 10, 20, 40 … 1000 ms and all of it.
    expect(pauses).toHaveLength(9)
    pauses.forEach((pause, attempt) => {
      const full = Math.min(1000, 10 * 2 ** attempt)
      expect(pause).toBeGreaterThanOrEqual(full / 2)
      expect(pause).toBeLessThanOrEqual(full)
    })
    pool.setAvailable(false)
    pool.refuse('sorry, too many clients already', 'host')
    pool.checkout.forgetFailures()
    const before = pool.requested
    pool.setAvailable(true)
    expect(pool.requested).toBe(before + 1)
  })

  it('that fail for the host fail nobody, those that fail for the caller fail the oldest', () => {
    const pool = new FakePool({ max: 2 })
    pool.setAvailable(true)
    const callers = [pool.enter(), pool.enter(), pool.enter()]
    pool.refuse('connect ECONNREFUSED', 'host')
    expect(callers.map(({ settlements }) => settlements)).toEqual([0, 0, 0])
    pool.refuse('password authentication failed', 'caller')
    expect(callers.map(({ error }) => error?.message)).toEqual(['password authentication failed', undefined, undefined])
  })

  it('that fail and nobody is to blame fail nobody, and are made again without a pause', () => {
    const pool = new FakePool({ max: 1 })
    pool.setAvailable(true)
    const caller = pool.enter()
    pool.refuse('a:1 does not lead any more', 'nobody')
    expect(caller.settlements).toBe(0)
    expect(pool.open).toHaveLength(1)
  })

  it('that waited too long in the queue of pg-pool are made again: the ticket has its own clock', () => {
    const pool = new FakePool({ max: 1 })
    pool.setAvailable(true)
    const caller = pool.enter()
    pool.refuse('timeout exceeded when trying to connect', 'caller')
    expect(caller.settlements).toBe(0)
    expect(pool.open).toHaveLength(1)
  })
})

describe('a caller for whom a client lies idle', () => {
  it('is given it without standing in line', () => {
    const pool = new FakePool()
    pool.setAvailable(true)
    pool.idleCount = 1
    const caller = pool.enter()
    const { client, session } = dialled()
    pool.deliver({ client, session })
    expect(caller).toMatchObject({ client, settlements: 1, call: { session } })
    expect(pool.checkout.requests).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('counts as waiting until he has it', () => {
    const pool = new FakePool()
    pool.setAvailable(true)
    pool.idleCount = 1
    pool.enter()
    expect(pool.checkout.waiting).toBe(1)
    pool.deliver()
    expect(pool.checkout.waiting).toBe(0)
  })

  it.each(['retired', 'broken'] as const)('stands in line after all if it is %s', (flag) => {
    const pool = new FakePool()
    pool.setAvailable(true)
    pool.idleCount = 1
    const caller = pool.enter()
    const { client, session } = dialled()
    session[flag] = true
    pool.deliver({ client, session })
    expect(client.stream.destroy).toHaveBeenCalledTimes(1)
    expect(caller.settlements).toBe(0)
    expect(pool.checkout.waiting).toBe(1)
    pool.deliver()
    expect(caller.settlements).toBe(1)
  })

  it('is held if the leader is lost before he has it', () => {
    const pool = new FakePool({ limits: { connectionTimeoutMillis: undefined, failoverTimeoutMillis: 300 } })
    pool.setAvailable(true)
    pool.idleCount = 1
    const caller = pool.enter()
    pool.setAvailable(false)
    const given = pool.deliver()
    expect(given.release).toHaveBeenCalledWith()
    expect([caller.settlements, pool.checkout.held]).toEqual([0, 1])
    expect(pool.held).toEqual([true])
    vi.advanceTimersByTime(301)
    expect(caller.error).toBeInstanceOf(HostSelectionTimeoutError)
  })

  it('comes before those who asked after him', () => {
    const pool = new FakePool()
    pool.setAvailable(true)
    pool.idleCount = 1
    const callers = [pool.enter({ arrival: 1 }), pool.enter({ arrival: 2 }), pool.enter({ arrival: 3 })]
    for (let n = 0; n < 3; n += 1) pool.deliver()
    expect(pool.served).toEqual(callers)
  })

  it('gives way to one who comes back meanwhile and stood before him', () => {
    const pool = new FakePool()
    pool.setAvailable(true)
    pool.idleCount = 1
    const caller = pool.enter({ arrival: 2 })
    const first = pool.enter({ arrival: 1 })
    pool.deliver()
    pool.deliver()
    expect(pool.served).toEqual([first, caller])
  })

  it('is told once when the pool ends, also if he asks again at once', () => {
    const pool = new FakePool()
    pool.setAvailable(true)
    pool.idleCount = 5
    let asked = 0
    const ask = (): unknown => asked++ < 10 && pool.enter({ settled: ask })
    const before = pool.requested
    ask()
    expect(pool.requested).toBe(before + 1)
    pool.checkout.end()
    expect(pool.requested).toBe(before + 1)
  })

  it('is answered when the pool ends before he has it', () => {
    const pool = new FakePool()
    pool.setAvailable(true)
    pool.idleCount = 1
    const caller = pool.enter()
    pool.checkout.end()
    expect(caller.error?.message).toBe('Cannot use a pool after calling end on the pool')
    pool.deliver()
    expect(caller.settlements).toBe(1)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('hosts that may lead soon', () => {
  it('are sent one request each while somebody is held, and not for ever', () => {
    const pool = new FakePool({ max: 3 })
    pool.successors = 2
    pool.checkout.update()
    expect(pool.requested).toBe(0)
    for (let n = 0; n < 8; n += 1) pool.enter()
    expect(pool.open).toHaveLength(2)
    for (let n = 0; n < 20; n += 1) {
      pool.refuse('connect ECONNREFUSED', 'host')
      vi.advanceTimersByTime(100)
      // News of the hosts come all the time.
      pool.checkout.update()
    }
    expect(pool.requested).toBe(6)
    expect(pool.checkout.held).toBe(8)
  })

  it('are sent none while the pool is paused, and not more than max', () => {
    const pool = new FakePool({ max: 1 })
    pool.successors = 4
    pool.checkout.pause()
    pool.enter()
    expect(pool.requested).toBe(0)
    pool.checkout.resume()
    expect(pool.open).toHaveLength(1)
  })

  it('serve the first who is held in the moment they lead, and then the others follow', () => {
    const pool = new FakePool({ max: 3 })
    pool.successors = 1
    const callers = [pool.enter(), pool.enter(), pool.enter(), pool.enter()]
    pool.setAvailable(true)
    expect(pool.open).toHaveLength(1)
    for (let n = 0; n < 4; n += 1) pool.deliver()
    expect(pool.served).toEqual(callers)
  })
})

describe('a client that was delivered', () => {
  it.each(['retired', 'broken'] as const)('is taken out of service if it is %s, and another is asked for', (flag) => {
    const pool = new FakePool({ max: 1 })
    pool.setAvailable(true)
    const caller = pool.enter()
    const { client, session } = dialled()
    session[flag] = true
    pool.deliver({ client, session })
    expect(caller.settlements).toBe(0)
    expect(client.release.mock.calls[0]?.[0]).toBeInstanceOf(Error)
    expect(client.stream.destroy).toHaveBeenCalledTimes(1)
    expect(pool.open).toHaveLength(1)
  })

  it('is taken out of service if its host is not the one to go to', () => {
    const pool = new FakePool({ max: 1 })
    pool.setAvailable(true)
    const caller = pool.enter()
    pool.suitable = false
    const stale = pool.deliver()
    pool.suitable = true
    const good = pool.deliver()
    expect(stale.stream.destroy).toHaveBeenCalledTimes(1)
    expect(caller.client).toBe(good)
  })

  it('goes back if nobody may have it now: there is no host, or nobody waits any more', () => {
    const pool = new FakePool()
    pool.setAvailable(true)
    const abort = new AbortController()
    pool.enter({ signal: abort.signal })
    abort.abort()
    const unwanted = pool.deliver()
    expect(unwanted.release).toHaveBeenCalledWith()
    const caller = pool.enter()
    pool.setAvailable(false)
    const held = pool.deliver()
    expect(held.release).toHaveBeenCalledWith()
    expect(caller.settlements).toBe(0)
    pool.setAvailable(true)
    pool.deliver()
    expect(caller.settlements).toBe(1)
  })

  it('is asked whether it lives when it was idle for longer than aliveCheckMillis, and only then', () => {
    const pool = new FakePool({ max: 1, aliveCheckMillis: 1000 })
    pool.setAvailable(true)
    const { client, session } = dialled()
    vi.advanceTimersByTime(1001)
    const caller = pool.enter()
    pool.deliver({ client, session })
    expect(caller.settlements).toBe(0)
    expect(client.connection.sync).toHaveBeenCalledTimes(1)
    client.answer()
    expect(caller.client).toBe(client)
    expect(session.usedAt).toBe(performance.now())
    const next = pool.enter()
    pool.deliver({ client, session })
    expect(next.client).toBe(client)
    expect(client.connection.sync).toHaveBeenCalledTimes(1)
  })

  it('is asked so too when its host was in doubt since it was used', () => {
    const pool = new FakePool({ aliveCheckMillis: Infinity })
    pool.setAvailable(true)
    pool.enter()
    const { client, session } = dialled()
    vi.advanceTimersByTime(10)
    pool.doubtedAt = performance.now()
    pool.deliver({ client, session })
    expect(client.connection.sync).toHaveBeenCalledTimes(1)
    client.answer()
    expect(pool.served).toHaveLength(1)
  })

  it('that does not answer is reported and replaced', () => {
    const pool = new FakePool({ max: 1 })
    pool.setAvailable(true)
    const { client, session } = dialled('a:1')
    vi.advanceTimersByTime(2000)
    const caller = pool.enter()
    pool.deliver({ client, session })
    vi.advanceTimersByTime(200)
    expect(pool.dead).toEqual(['a:1'])
    expect(client.stream.destroy).toHaveBeenCalledTimes(1)
    const good = pool.deliver()
    expect(caller.client).toBe(good)
  })
})

describe('who is not served', () => {
  it('is told which limit it was, how long it took and why', () => {
    const pool = new FakePool({ limits: { connectionTimeoutMillis: undefined, failoverTimeoutMillis: 500 } })
    const caller = pool.enter()
    vi.advanceTimersByTime(499)
    expect(caller.settlements).toBe(0)
    vi.advanceTimersByTime(2)
    expect(caller.error).toBeInstanceOf(HostSelectionTimeoutError)
    expect(caller.error).toMatchObject({
      code: '08001',
      limit: 'failoverTimeoutMillis',
      hosts: [{ host: 'a:1', reason: 'is a standby (in recovery)' }],
    })
    expect(caller.error?.message).toContain('failoverTimeoutMillis')
    expect(caller.error?.message).toContain('a:1 is a standby (in recovery)')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('hears the words of pg-pool when it was a client that did not come', () => {
    const pool = new FakePool({ max: 1, limits: { connectionTimeoutMillis: 300, failoverTimeoutMillis: undefined } })
    pool.setAvailable(true)
    const dialling = pool.enter()
    vi.advanceTimersByTime(301)
    expect(dialling.error?.message).toBe('Connection terminated due to connection timeout')
    const { client } = dialled()
    pool.clients.acquired(client.asPoolClient)
    const queued = pool.enter()
    vi.advanceTimersByTime(301)
    expect(queued.error?.message).toBe('timeout exceeded when trying to connect')
  })

  it('expires each at its own time', () => {
    const pool = new FakePool({ limits: { connectionTimeoutMillis: 300, failoverTimeoutMillis: undefined } })
    const first = pool.enter()
    vi.advanceTimersByTime(100)
    const second = pool.enter()
    vi.advanceTimersByTime(201)
    expect([first.settlements, second.settlements]).toEqual([1, 0])
    vi.advanceTimersByTime(100)
    expect([first.settlements, second.settlements]).toEqual([1, 1])
    expect(pool.checkout.waiting).toBe(0)
  })

  it('is told of the primary that stands in the way, whichever limit it was; not while the pool is paused', () => {
    const pool = new FakePool({
      limits: { connectionTimeoutMillis: undefined, failoverTimeoutMillis: 500 },
      maxWaiting: 1,
    })
    pool.obstacle = new SplitBrainError({ hosts: ['a:1', 'b:2'] })
    const [held, refused] = [pool.enter(), pool.enter()]
    vi.advanceTimersByTime(501)
    expect(refused.error).toMatchObject({ name: 'WaitQueueFullError', cause: pool.obstacle })
    expect(held.error).toMatchObject({ name: 'HostSelectionTimeoutError', cause: pool.obstacle })
    pool.checkout.pause()
    const paused = pool.enter()
    vi.advanceTimersByTime(501)
    expect(paused.error?.message).toContain('paused')
    expect(paused.error?.cause).toBeUndefined()
  })

  it('is refused at once when as many are held as maxWaiting allows', () => {
    const pool = new FakePool({ maxWaiting: 2 })
    pool.enter()
    pool.enter()
    const third = pool.enter()
    expect(third.error).toBeInstanceOf(WaitQueueFullError)
    expect(third.error?.message).toContain('maxWaiting')
    expect(pool.checkout.waiting).toBe(2)
    pool.setAvailable(true)
    expect(pool.enter().settlements).toBe(0)
  })

  it('is not refused so if its statement was sent already', () => {
    const pool = new FakePool({ maxWaiting: 1 })
    pool.enter()
    const call = beginCall(performance.now())
    pastOf(call).resent = true
    expect(pool.enter({ call }).settlements).toBe(0)
    expect(pool.checkout.waiting).toBe(2)
  })

  it('leaves with the reason of its signal, before or while it waits, and nobody else is disturbed', () => {
    const pool = new FakePool()
    const reason = new Error('the request was closed')
    const gone = pool.enter({ signal: AbortSignal.abort(reason) })
    expect(gone.error).toBe(reason)
    const abort = new AbortController()
    const first = pool.enter({ signal: abort.signal })
    const second = pool.enter()
    abort.abort()
    expect(first.error?.name).toBe('AbortError')
    expect(pool.checkout.waiting).toBe(1)
    pool.setAvailable(true)
    pool.deliver()
    expect(second.settlements).toBe(1)
    abort.abort()
    expect(first.settlements).toBe(1)
  })

  it('is counted once, also if one caller who fails takes another along', () => {
    const pool = new FakePool()
    const abort = new AbortController()
    pool.enter({ settled: () => abort.abort() })
    const other = pool.enter({ signal: abort.signal })
    pool.checkout.failAll(() => new Error('refused'))
    expect(other.settlements).toBe(1)
    expect(pool.checkout.waiting).toBe(0)
    pool.setAvailable(true)
    const next = pool.enter()
    pool.deliver()
    expect(next.settlements).toBe(1)
  })

  it('is counted once, also if that happens when their time is up', () => {
    const pool = new FakePool({ limits: { connectionTimeoutMillis: 300, failoverTimeoutMillis: undefined } })
    const abort = new AbortController()
    pool.enter({ settled: () => abort.abort() })
    pool.enter({ signal: abort.signal })
    vi.advanceTimersByTime(301)
    expect(pool.checkout.waiting).toBe(0)
    expect(pool.held.at(-1)).toBe(false)
  })

  it('is answered when the pool ends, and leaves no timer behind', () => {
    const pool = new FakePool({ limits: { connectionTimeoutMillis: 300, failoverTimeoutMillis: undefined } })
    const callers = [pool.enter(), pool.enter(), pool.enter()]
    pool.setAvailable(true)
    pool.checkout.end()
    const late = pool.enter()
    const messages = [...callers, late].map(({ error }) => error?.message)
    expect(new Set(messages)).toEqual(new Set(['Cannot use a pool after calling end on the pool']))
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a pause', () => {
  it('that is over after the end of the pool leaves no timer behind, whatever had failed before', () => {
    const pool = new FakePool()
    pool.setAvailable(true)
    pool.enter()
    pool.refuse('connect ECONNREFUSED', 'host')
    pool.checkout.pause()
    pool.checkout.end()
    pool.checkout.resume()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('holds everybody, and says so to those whose time is up', () => {
    const pool = new FakePool({ limits: { connectionTimeoutMillis: 300, failoverTimeoutMillis: undefined } })
    pool.setAvailable(true)
    pool.checkout.pause()
    expect(pool.checkout.paused).toBe(true)
    const caller = pool.enter()
    expect(pool.requested).toBe(0)
    vi.advanceTimersByTime(301)
    expect(caller.error?.message).toContain('the pool is paused; call resume()')
    const next = pool.enter()
    pool.checkout.resume()
    pool.deliver()
    expect(next.settlements).toBe(1)
  })
})

describe('the story', () => {
  it('counts who was held and how long, and is over when the last of them has left', () => {
    const pool = new FakePool()
    const heldFor = vi.spyOn(pool.story, 'heldFor')
    const held = vi.spyOn(pool.story, 'held')
    pool.enter()
    vi.advanceTimersByTime(30)
    pool.enter()
    vi.advanceTimersByTime(20)
    pool.setAvailable(true)
    pool.enter()
    expect(held).toHaveBeenCalledTimes(2)
    expect(heldFor.mock.calls).toEqual([[50], [20]])
    vi.advanceTimersByTime(100)
    pool.deliver()
    expect(pool.story.over).toBe(false)
    pool.deliver()
    expect(pool.story.over).toBe(true)
  })
})
