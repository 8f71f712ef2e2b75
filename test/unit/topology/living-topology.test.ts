import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { arrivalsOf, wasDeserted } from '../../../src/core/outcome/evidence'
import type { TargetSessionAttrs } from '../../../src/core/selection/target-session-attrs'
import type { TopologyEffect } from '../../../src/core/topology/effects'
import type { Observation } from '../../../src/core/topology/host'
import type { Authority } from '../../../src/discovery/authority'
import type { Probe, ProbeResult } from '../../../src/monitor/probe'
import { LivingTopology } from '../../../src/topology/living-topology'

const primary: Observation = {
  inRecovery: false,
  defaultTransactionReadOnly: false,
  systemIdentifier: 'ours',
  timeline: 1,
  postmasterStartTime: 's',
  lsn: undefined,
  roundTripMillis: 1,
}
const standby: Observation = { ...primary, inRecovery: true }
const recovery = { replayLsn: undefined, timeline: undefined, session: 1 }
const ok = (answer: Observation): ProbeResult => ({ ok: true, answer, recovery })
const silent = (reason: string, aboutCaller = false): ProbeResult => ({
  ok: false,
  failure: { reason, aboutCaller, error: new Error(reason) },
})

/** A topology whose hosts answer within a millisecond what a test says; `undefined` never answers. */
function living(
  answers: Record<string, ProbeResult | undefined>,
  intervalMillis = 1000,
  targetSessionAttrs: TargetSessionAttrs = 'read-write',
  authority?: Authority,
) {
  const effects: TopologyEffect[] = []
  const asked: Record<string, number> = {}
  const lost: Record<string, (why: string) => void> = {}
  const topology = new LivingTopology(
    {
      hosts: Object.keys(answers),
      targetSessionAttrs,
      times: { intervalMillis, leaderlessIntervalMillis: 25, timeoutMillis: 1000 },
      lockoutMillis: 60_000,
      authority,
      findHost: (host, port) => `${host}:${port}`,
      createProbe: (host, tell) => {
        lost[host] = tell
        const ask = (): Promise<ProbeResult> => {
          asked[host] = (asked[host] ?? 0) + 1
          return new Promise((resolve) => {
            const told = answers[host]
            if (told !== undefined) setTimeout(() => resolve(told), 1)
          })
        }
        return { ask, close: () => undefined } as unknown as Probe
      },
    },
    (effect) => effects.push(effect),
  )
  return { topology, effects, asked, lost, answers }
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('LivingTopology', () => {
  it('takes a server whose places are all taken for alive', async () => {
    const { topology, answers } = living({ 'a:1': ok(primary) })
    topology.start()
    await vi.advanceTimersByTimeAsync(2)
    const error = Object.assign(new Error('sorry, too many clients already'), { code: '53300', severity: 'FATAL' })
    answers['a:1'] = { ok: false, failure: { reason: error.message, aboutCaller: false, error } }
    topology.suspect('a:1', 'a connection was lost')
    expect(topology.targets('read-write')).toEqual([])
    await vi.advanceTimersByTimeAsync(2)
    expect(topology.targets('read-write')).toEqual(['a:1'])
    topology.stop()
  })

  it('asks at leisure while nobody leads, if what is wanted is there', async () => {
    const { topology, asked } = living({ 'a:1': ok(standby), 'b:2': ok(standby) }, 1000, 'standby')
    topology.start()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(asked['a:1']).toBeLessThanOrEqual(14)
    topology.stop()
  })

  it('asks less and less often for a leader that nobody waits for, and quickly again when somebody does', async () => {
    const { topology, asked } = living({ 'a:1': ok(standby) })
    topology.start()
    await vi.advanceTimersByTimeAsync(60_000)
    const before = asked['a:1'] ?? 0
    await vi.advanceTimersByTimeAsync(10_000)
    expect((asked['a:1'] ?? 0) - before).toBeLessThanOrEqual(14)
    topology.somebodyWaits = true
    const then = asked['a:1'] ?? 0
    await vi.advanceTimersByTimeAsync(1000)
    expect((asked['a:1'] ?? 0) - then).toBeGreaterThan(50)
    topology.stop()
  })

  it('asks quickly while somebody waits, also where there is a leader', async () => {
    const { topology, asked } = living({ 'a:1': ok(primary) })
    topology.start()
    await vi.advanceTimersByTimeAsync(5000)
    topology.somebodyWaits = true
    const before = asked['a:1'] ?? 0
    await vi.advanceTimersByTimeAsync(1000)
    expect((asked['a:1'] ?? 0) - before).toBeGreaterThan(50)
    topology.stop()
  })

  it('does not take an answer for news from after its question', async () => {
    const { topology, asked } = living({ 'a:1': ok(primary) })
    topology.start()
    await vi.advanceTimersByTimeAsync(5000)
    const before = asked['a:1'] ?? 0
    void topology.ask('a:1')
    await vi.advanceTimersByTimeAsync(0.5)
    topology.suspect('a:1', 'a connection was lost')
    // The answer to what was asked before comes, and the same question is on its way again.
    await vi.advanceTimersByTimeAsync(0.5)
    expect(asked['a:1']).toBe(before + 2)
    expect(topology.targets('read-write')).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(topology.targets('read-write')).toEqual(['a:1'])
    topology.stop()
  })

  it('asks nobody before it is started, everybody then, and nobody after it was stopped', async () => {
    const { topology, asked } = living({ 'a:1': ok(primary), 'b:2': ok(standby) })
    await vi.advanceTimersByTimeAsync(5000)
    expect(asked).toEqual({})
    topology.start()
    topology.start()
    await vi.advanceTimersByTimeAsync(2)
    expect(asked).toEqual({ 'a:1': 1, 'b:2': 1 })
    expect(topology.targets('read-write')).toEqual(['a:1'])
    topology.stop()
    topology.start()
    topology.askAll()
    await topology.ask('a:1')
    topology.suspect('a:1', 'test')
    expect(vi.getTimerCount()).toBe(0)
    expect(asked).toEqual({ 'a:1': 1, 'b:2': 1 })
    expect(topology.targets('read-write')).toEqual(['a:1'])
  })

  it('decides 100 ms after the first candidate was asked, by a clock of its own', async () => {
    const { topology } = living({ 'a:1': ok(primary), 'b:2': undefined }, 60_000)
    topology.start()
    await vi.advanceTimersByTimeAsync(99)
    expect(topology.snapshot.leader).toBeUndefined()
    await vi.advanceTimersByTimeAsync(2)
    expect(topology.snapshot.leader).toBe('a:1')
    topology.stop()
  })

  it('calls for a decision again when its timer came too early', () => {
    const { topology } = living({ 'a:1': ok(primary), 'b:2': undefined })
    const start = performance.now()
    topology.dispatch({ type: 'observed', host: 'a:1', at: start, answer: primary })
    // Timers count whole milliseconds from the last turn of the loop: they may fire a little before their time.
    const clock = vi.spyOn(performance, 'now').mockReturnValue(start + 99.5)
    vi.advanceTimersByTime(100)
    expect(topology.snapshot.leader).toBeUndefined()
    clock.mockReturnValue(start + 101)
    vi.advanceTimersByTime(2)
    expect(topology.snapshot.leader).toBe('a:1')
    topology.stop()
  })

  it('asks every second while all is well, and while the leader is lost every 25 ms who fails, every 10 ms who answers', async () => {
    const { topology, asked, answers } = living({ 'a:1': ok(primary), 'b:2': ok(standby) })
    topology.start()
    await vi.advanceTimersByTimeAsync(100)
    for (const host of Object.keys(asked)) asked[host] = 0
    await vi.advanceTimersByTimeAsync(5000)
    expect(asked).toEqual({ 'a:1': 5, 'b:2': 5 })
    answers['a:1'] = silent('connection refused')
    topology.suspect('a:1', 'a connection was lost')
    await vi.advanceTimersByTimeAsync(500)
    expect(asked['a:1']).toBeGreaterThan(5 + 15)
    expect(asked['a:1']).toBeLessThan(5 + 30)
    expect(asked['b:2']).toBeGreaterThan(5 + 38)
    expect(asked['b:2']).toBeLessThan(5 + 75)
    topology.stop()
  })

  it('asks quickly while somebody waits', async () => {
    const { topology, asked } = living({ 'a:1': ok(standby), 'b:2': ok(standby) }, Infinity)
    topology.start()
    await vi.advanceTimersByTimeAsync(100)
    const calm = asked['a:1'] ?? 0
    topology.somebodyWaits = true
    await vi.advanceTimersByTimeAsync(500)
    expect((asked['a:1'] ?? 0) - calm).toBeGreaterThan(15)
    topology.stop()
  })

  it('does not ask a host every 25 ms that refuses the caller', async () => {
    const { topology, asked, effects } = living({ 'a:1': silent('no such role', true) })
    topology.start()
    await vi.advanceTimersByTimeAsync(1500)
    expect(asked['a:1']).toBe(2)
    expect(topology.callerFault).toMatchObject({ host: 'a:1', failure: { reason: 'no such role' } })
    expect(effects.map(({ type }) => type)).toContain('caller-fault')
    topology.stop()
  })

  it('takes the end of a parked session for a doubt, and asks at once', async () => {
    const { topology, asked, effects, lost } = living({ 'a:1': ok(primary) })
    topology.start()
    await vi.advanceTimersByTimeAsync(100)
    effects.length = 0
    lost['a:1']?.('the session ended')
    expect(asked['a:1']).toBe(2)
    expect(topology.targets('read-write')).toEqual([])
    expect(topology.snapshot.leader).toBeUndefined()
    await vi.advanceTimersByTimeAsync(2)
    expect(topology.targets('read-write')).toEqual(['a:1'])
    expect(effects.filter(({ type }) => type !== 'publish')).toMatchObject([
      { type: 'leader-lost', suspected: true },
      { type: 'leader-ready', changed: false },
    ])
    topology.stop()
  })

  it('asks a rival a second time at once, and follows it then', async () => {
    const { topology, answers } = living({ 'a:1': ok(primary), 'b:2': ok(standby) })
    topology.start()
    await vi.advanceTimersByTimeAsync(100)
    answers['b:2'] = ok({ ...primary, timeline: 2, postmasterStartTime: 'b' })
    const known = topology.ask('b:2')
    await vi.advanceTimersByTimeAsync(1)
    await known
    expect(topology.snapshot.leader).toBe('a:1')
    await vi.advanceTimersByTimeAsync(1)
    expect(topology.snapshot.leader).toBe('b:2')
    topology.stop()
  })

  it('keeps what may tell the fate of a COMMIT: who refused everybody, and where a recovery ended', async () => {
    const { topology, answers } = living({ 'a:1': ok(primary), 'b:2': ok({ ...standby, postmasterStartTime: 'b' }) })
    topology.start()
    await vi.advanceTimersByTimeAsync(100)
    const error = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    answers['a:1'] = { ok: false, failure: { reason: error.message, aboutCaller: false, error } }
    const lostAt = performance.now()
    topology.suspect('a:1', 'a connection was lost')
    await vi.advanceTimersByTimeAsync(500)
    const promoted = { ...primary, timeline: 2, postmasterStartTime: 'b' }
    answers['b:2'] = { ok: true, answer: promoted, recovery: { ...recovery, replayLsn: 7n } }
    await vi.advanceTimersByTimeAsync(100)
    expect(topology.snapshot.leader).toBe('b:2')
    const arrivals = arrivalsOf(topology.evidence, 'b:2')
    expect(arrivals).toMatchObject([{ timeline: 2, postmasterStartTime: 'b', replayLsn: 7n, parentTimeline: 1 }])
    expect(wasDeserted(topology.evidence, 'a:1', lostAt, arrivals[0]?.at ?? 0)).toBe(true)
    expect(wasDeserted(topology.evidence, 'a:1', lostAt - 200, lostAt)).toBe(false)
    topology.stop()
  })

  it('what it saw of another history proves nothing of the one that is followed now', async () => {
    const { topology, answers } = living({ 'a:1': ok({ ...primary, timeline: 5 }) })
    topology.start()
    await vi.advanceTimersByTimeAsync(2)
    expect(arrivalsOf(topology.evidence, 'a:1')).toMatchObject([{ timeline: 5 }])
    answers['a:1'] = ok({ ...primary, systemIdentifier: 'theirs' })
    await vi.advanceTimersByTimeAsync(1100)
    topology.snapshot.reset()
    expect(topology.snapshot.leader).toBe('a:1')
    expect(arrivalsOf(topology.evidence, 'a:1')).toEqual([])
    topology.stop()
  })

  it('asks a host that joins at once, and one that has left never again', async () => {
    const { topology, asked, answers, effects } = living({ 'a:1': ok(primary), 'b:2': ok(standby) })
    topology.start()
    await vi.advanceTimersByTimeAsync(100)
    answers['c:3'] = ok(standby)
    topology.dispatch({ type: 'hosts', at: performance.now(), keys: ['a:1', 'c:3'] })
    expect(asked['c:3']).toBe(1)
    const before = { ...asked }
    await vi.advanceTimersByTimeAsync(5000)
    expect(asked['b:2']).toBe(before['b:2'])
    expect(asked['c:3']).toBeGreaterThan(4)
    expect(topology.targets('any')).toEqual(['a:1', 'c:3'])
    expect(effects).toEqual(
      expect.arrayContaining([
        { type: 'left', host: 'b:2' },
        { type: 'joined', host: 'c:3' },
      ]),
    )
    topology.stop()
    const last = { ...asked }
    await vi.advanceTimersByTimeAsync(5000)
    expect(asked).toEqual(last)
  })

  it('a promotion of which it saw nothing, as the host was not on the list, has no known parent', async () => {
    const { topology, answers } = living({ 'a:1': ok(primary), 'b:2': ok({ ...standby, postmasterStartTime: 'b' }) })
    topology.start()
    await vi.advanceTimersByTimeAsync(100)
    topology.dispatch({ type: 'hosts', at: performance.now(), keys: ['a:1'] })
    answers['a:1'] = silent('gone')
    answers['b:2'] = ok({ ...primary, timeline: 2, postmasterStartTime: 'b' })
    topology.suspect('a:1', 'a connection was lost')
    await vi.advanceTimersByTimeAsync(1000)
    topology.dispatch({ type: 'hosts', at: performance.now(), keys: ['a:1', 'b:2'] })
    await vi.advanceTimersByTimeAsync(100)
    expect(topology.snapshot.leader).toBe('b:2')
    expect(arrivalsOf(topology.evidence, 'b:2')).toMatchObject([{ timeline: 2, parentTimeline: undefined }])
    topology.stop()
  })

  it('watches a leader that was lost and has left until there is another one: it may tell the fate of a COMMIT', async () => {
    const { topology, answers, asked } = living({
      'a:1': ok(primary),
      'b:2': ok({ ...standby, postmasterStartTime: 'b' }),
    })
    topology.start()
    await vi.advanceTimersByTimeAsync(100)
    const error = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    answers['a:1'] = { ok: false, failure: { reason: error.message, aboutCaller: false, error } }
    topology.suspect('a:1', 'a connection was lost')
    const lostAt = performance.now()
    await vi.advanceTimersByTimeAsync(50)
    topology.dispatch({ type: 'hosts', at: performance.now(), keys: ['b:2'] })
    await vi.advanceTimersByTimeAsync(1000)
    expect(topology.snapshot.hosts.map(({ host }) => host)).toEqual(['b:2'])
    answers['b:2'] = ok({ ...primary, timeline: 2, postmasterStartTime: 'b' })
    await vi.advanceTimersByTimeAsync(100)
    const [arrival] = arrivalsOf(topology.evidence, 'b:2')
    expect(wasDeserted(topology.evidence, 'a:1', lostAt, arrival?.at ?? 0)).toBe(true)
    const before = asked['a:1']
    await vi.advanceTimersByTimeAsync(5000)
    expect(asked['a:1']).toBe(before)
    topology.stop()
  })

  it('has one snapshot for one state, and another for the next', async () => {
    const { topology } = living({ 'a:1': ok(primary) })
    const before = topology.snapshot
    expect(topology.snapshot).toBe(before)
    topology.start()
    await vi.advanceTimersByTimeAsync(2)
    expect(topology.snapshot).not.toBe(before)
    topology.stop()
  })

  it('forgets what it learned when its snapshot is told to', async () => {
    const { topology, answers } = living({ 'a:1': ok({ ...primary, timeline: 5 }) })
    topology.start()
    await vi.advanceTimersByTimeAsync(2)
    answers['a:1'] = ok({ ...primary, timeline: 2 })
    await vi.advanceTimersByTimeAsync(1100)
    expect(topology.snapshot.leader).toBeUndefined()
    topology.snapshot.reset()
    expect(topology.snapshot).toMatchObject({ leader: 'a:1', generation: 2, timeline: 2 })
    topology.stop()
  })
})

describe('LivingTopology with an authority', () => {
  /** Names a:1, or what a test says, within a millisecond. */
  const dcs = () => {
    const source = {
      name: 'dcs',
      asked: 0,
      says: async (): Promise<unknown> => ({ host: 'a', port: 1, leaseMillis: 900 }),
      leader: async () => {
        source.asked += 1
        await new Promise((resolve) => setTimeout(resolve, 1))
        return source.says()
      },
    }
    return source
  }
  const governed = (source: ReturnType<typeof dcs>) =>
    living({ 'a:1': ok(primary), 'b:2': ok(standby) }, 1000, 'read-write', source as unknown as Authority)

  it('asks again when a third of the lease is over, and a leader that is confirmed each time stays', async () => {
    const source = dcs()
    const { topology, effects } = governed(source)
    topology.start()
    await vi.advanceTimersByTimeAsync(5)
    expect(topology.targets('read-write')).toEqual(['a:1'])
    expect(source.asked).toBe(1)
    await vi.advanceTimersByTimeAsync(2700)
    expect(source.asked).toBeGreaterThanOrEqual(1 + 9)
    expect(source.asked).toBeLessThanOrEqual(1 + 13)
    expect(effects.map(({ type }) => type)).not.toContain('leader-lost')
    topology.stop()
    await vi.advanceTimersByTimeAsync(2000)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('asks four times a second while it fails and somebody waits, and at leisure while nobody does', async () => {
    const source = dcs()
    source.says = () => Promise.reject(new Error('gone'))
    const { topology } = governed(source)
    topology.somebodyWaits = true
    topology.start()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(source.asked).toBeGreaterThan(38)
    expect(source.asked).toBeLessThan(60)
    topology.somebodyWaits = false
    await vi.advanceTimersByTimeAsync(60_000)
    const calm = source.asked
    await vi.advanceTimersByTimeAsync(10_000)
    expect(source.asked - calm).toBeLessThanOrEqual(14)
    topology.stop()
  })

  it('ends the lead with the lease, to the millisecond', async () => {
    const source = dcs()
    const { topology, effects } = governed(source)
    topology.start()
    await vi.advanceTimersByTimeAsync(5)
    const { until } = topology.state.authority!.word!
    source.says = () => new Promise(() => undefined)
    await vi.advanceTimersByTimeAsync(until - performance.now() - 1)
    expect(topology.targets('read-write')).toEqual(['a:1'])
    await vi.advanceTimersByTimeAsync(1)
    expect(topology.targets('read-write')).toEqual([])
    expect(effects.slice(-4).map(({ type }) => type)).toEqual(['leader-lost', 'cut', 'ask-authority', 'publish'])
    topology.stop()
  })

  it('nobody is sent to a leader whose lease ran out while this process was blocked, not even before a timer could fire', async () => {
    const source = dcs()
    const { topology, effects } = governed(source)
    topology.start()
    await vi.advanceTimersByTimeAsync(5)
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 5000)
    topology.mindLease()
    expect(topology.targets('read-write')).toEqual([])
    // The authority is asked, and nobody is cut before it could answer.
    expect(effects.map(({ type }) => type)).not.toContain('cut')
    await vi.advanceTimersByTimeAsync(2)
    expect(topology.targets('read-write')).toEqual(['a:1'])
    topology.stop()
  })

  it('minds no lease where none is asked for', async () => {
    const { topology } = living({ 'a:1': ok(primary), 'b:2': undefined })
    topology.start()
    await vi.advanceTimersByTimeAsync(50)
    const { decideAt } = topology.state
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 5000)
    topology.mindLease()
    expect(topology.state.decideAt).toBe(decideAt)
    topology.stop()
  })
})
