import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Observation } from '../../../src/core/topology/host'
import { reduceTopology } from '../../../src/core/topology/reduce'
import { initialTopology } from '../../../src/core/topology/state'
import { targets } from '../../../src/core/topology/targets'
import type { TargetSessionAttrs } from '../../../src/core/selection/target-session-attrs'
import { Eligibility } from '../../../src/pool/eligibility'
import type { ReadWishes } from '../../../src/pool/eligibility'
import type { LivingTopology } from '../../../src/topology/living-topology'

beforeEach(() => void vi.useFakeTimers({ now: 0 }))
afterEach(() => void vi.useRealTimers())

const wishes: ReadWishes = {
  maxLagMillis: Infinity,
  maxLagBytes: Infinity,
  latencyWindowMillis: Infinity,
  tags: [],
  fallback: 'primary',
}

/** Three hosts, the first of which leads, and who may be read from. */
function cluster(wanted: Partial<ReadWishes> = {}) {
  const topology = {
    state: initialTopology(['a', 'b', 'c'], { lockoutMillis: 60_000, settleMillis: 0 }),
    targets: (attrs: TargetSessionAttrs) => targets(topology.state, attrs),
  }
  const eligibility = new Eligibility(topology as unknown as LivingTopology, { ...wishes, ...wanted }, () => new Map())
  const answered = (host: string, told: Partial<Observation> = {}, sentAt = performance.now()): void => {
    const answer: Observation = {
      inRecovery: host !== 'a',
      defaultTransactionReadOnly: false,
      systemIdentifier: 'ours',
      timeline: 1,
      postmasterStartTime: `${host} started`,
      lsn: 1000n,
      roundTripMillis: 1,
      ...told,
    }
    topology.state = reduceTopology(topology.state, { type: 'observed', at: sentAt, host, answer })
    eligibility.noted(host, sentAt, answer)
  }
  const failed = (host: string): void => {
    const failure = { reason: 'did not answer', aboutCaller: false, error: undefined }
    topology.state = reduceTopology(topology.state, { type: 'failed', at: performance.now(), host, failure })
    eligibility.noted(host, performance.now(), undefined)
  }
  const all = (): void => ['a', 'b', 'c'].forEach((host) => answered(host))
  vi.advanceTimersByTime(1)
  all()
  return { eligibility, answered, failed, all }
}

const pass = (millis: number): void => void vi.advanceTimersByTime(millis)

describe('the hosts', () => {
  it('are the standbys, by one and the same array as long as they are the same', () => {
    const { eligibility, all, failed, answered } = cluster()
    const { hosts } = eligibility
    expect(hosts).toEqual(['b', 'c'])
    pass(100)
    all()
    expect(eligibility.hosts).toBe(hosts)
    failed('c')
    const { hosts: fewer } = eligibility
    expect(fewer).toEqual(['b'])
    pass(100)
    answered('c')
    expect(eligibility.hosts).toEqual(['b', 'c'])
  })

  it('are others when one takes the place of another', () => {
    const { eligibility, failed } = cluster()
    eligibility.ban('c')
    expect(eligibility.hosts).toEqual(['b'])
    pass(1000)
    failed('b')
    expect(eligibility.hosts).toEqual(['c'])
  })

  it('where none will do, the leader steps in, and no standby is there', () => {
    const { eligibility, failed } = cluster()
    expect(eligibility.hasStandby).toBe(true)
    failed('b')
    failed('c')
    expect([eligibility.hosts, eligibility.hasStandby]).toEqual([['a'], false])
  })

  it('or nobody, by option', () => {
    const { eligibility, failed } = cluster({ fallback: 'error' })
    failed('b')
    failed('c')
    expect([eligibility.hosts, eligibility.hasStandby]).toEqual([[], false])
  })

  it('nor does a leader step in that is lost', () => {
    const { eligibility, failed } = cluster()
    for (const host of ['a', 'b', 'c']) failed(host)
    expect(eligibility.hosts).toEqual([])
  })

  it('of every other it is told why not', () => {
    const { eligibility, failed } = cluster()
    failed('c')
    expect(eligibility.explain()).toEqual([
      { host: 'a', reason: 'is the leader' },
      { host: 'c', reason: 'did not answer' },
    ])
  })
})

describe('a ban', () => {
  it('begins at once, and time alone ends it', () => {
    const { eligibility } = cluster()
    expect(eligibility.nextReturn).toBeUndefined()
    expect(eligibility.hosts).toEqual(['b', 'c'])
    eligibility.ban('b')
    expect(eligibility.hosts).toEqual(['c'])
    expect(eligibility.nextReturn).toBe(performance.now() + 1000)
    pass(999)
    expect(eligibility.hosts).toEqual(['c'])
    pass(1)
    expect([eligibility.hosts, eligibility.nextReturn]).toEqual([['b', 'c'], undefined])
  })

  it('is ended by an answer to a question that was sent after it began, and by no other', () => {
    const { eligibility, answered } = cluster()
    pass(100)
    const before = performance.now() - 1
    eligibility.ban('b')
    pass(5)
    answered('b', {}, before)
    expect(eligibility.hosts).toEqual(['c'])
    answered('b', {}, performance.now())
    expect([eligibility.hosts, eligibility.nextReturn]).toEqual([['b', 'c'], undefined])
  })

  it('is not ended by a question without an answer', () => {
    const { eligibility } = cluster()
    eligibility.ban('b')
    pass(5)
    eligibility.noted('b', performance.now(), undefined)
    expect(eligibility.hosts).toEqual(['c'])
  })
})

describe('how far they are behind', () => {
  it('is judged by what the leader has told, and by nobody else', () => {
    const { eligibility, answered } = cluster({ maxLagBytes: 100 })
    pass(100)
    answered('a', { lsn: 5000n })
    answered('b', { lsn: 4900n })
    answered('c', { lsn: 4899n })
    expect(eligibility.hosts).toEqual(['b'])
    pass(100)
    answered('c', { lsn: 9000n })
    expect(eligibility.hosts).toEqual(['b', 'c'])
  })

  it('is judged by the new leader after a failover', () => {
    const { eligibility, answered, failed } = cluster({ maxLagBytes: 100, fallback: 'error' })
    pass(100)
    failed('a')
    answered('b', { inRecovery: false, timeline: 2, lsn: 2000n })
    answered('c', { lsn: 1899n })
    expect(eligibility.hosts).toEqual([])
    pass(100)
    answered('c', { lsn: 1950n })
    expect(eligibility.hosts).toEqual(['c'])
  })

  it('is not known where the leader does not tell where it stands', () => {
    const { eligibility, answered } = cluster({ maxLagBytes: 100 })
    pass(100)
    answered('a', { lsn: undefined })
    answered('b', { lsn: 999n })
    expect(eligibility.hosts).toEqual(['b', 'c'])
  })
})

describe('how soon they answer', () => {
  it('decides among them, and is forgotten of one that does not answer', () => {
    const { eligibility, answered } = cluster({ latencyWindowMillis: 10 })
    const all = (c: number): void => {
      pass(100)
      answered('b', { roundTripMillis: 2 })
      answered('c', { roundTripMillis: c })
    }
    for (let n = 0; n < 3; n += 1) all(50)
    expect(eligibility.hosts).toEqual(['b'])
    eligibility.noted('c', performance.now(), undefined)
    expect(eligibility.hosts).toEqual(['b', 'c'])
  })
})
