import { describe, expect, it } from 'vitest'
import { covers, later } from '../../../src/core/selection/position'
import type { Position } from '../../../src/core/selection/position'
import { place } from '../../../src/execution/placement'
import type { Place, PlacementPort } from '../../../src/execution/placement'
import { SessionReads } from '../../../src/execution/session-scope'
import { HostPositions } from '../../../src/pool/host-positions'
import { formatLsn } from '../../../src/core/outcome/lsn'

const at = (lsn: number, timeline = 1): Position => ({ timeline, lsn: BigInt(lsn) })

/** A leader, L, and standbys; what a test does not say is well. */
class Cluster implements PlacementPort {
  /** How far the standbys have replayed: what they say when they are asked. */
  readonly replayed = new Map<string, Position>()
  readonly asked: string[] = []
  /** When they were asked last what they are. */
  readonly known = new Map<string, number>()
  readonly starts = new Map<string, unknown>()
  /** What the leader says; each question is noted, and a test may do something while it is under way. */
  readonly position: { told: Position | undefined | Error; meanwhile: () => void } = {
    told: at(500),
    meanwhile: () => undefined,
  }
  questions = 0
  looks = 0
  leads: string | undefined = 'L'
  present = 1
  readers: readonly string[] = ['s1', 's2']
  next = 0
  readonly waitMillis = 0
  onAsked = (): void => undefined
  readonly positions = new HostPositions(
    (host) => {
      this.asked.push(host)
      this.onAsked()
      const position = this.replayed.get(host)
      if (position === undefined) return Promise.reject(new Error('gone'))
      return Promise.resolve({ rows: [{ lsn: formatLsn(position.lsn), timeline: String(position.timeline) }] })
    },
    () => true,
  )

  constructor() {
    for (const host of ['L', 's1', 's2', 's3']) this.starts.set(host, `${host} started`)
  }

  hosts(): readonly string[] {
    this.looks += 1
    // What never comes to an end would never come to a time limit either.
    if (this.looks > 100) throw new Error('it goes round in circles')
    return this.readers
  }

  pick(): string | undefined {
    return this.readers[this.next % this.readers.length]
  }

  leader(): string | undefined {
    return this.leads
  }

  timeline(): number {
    return this.present
  }

  startOf(host: string): unknown {
    return this.starts.get(host)
  }

  knownAt(host: string): number {
    return this.known.get(host) ?? 0
  }

  async askLeader(): Promise<Position | undefined> {
    this.questions += 1
    await Promise.resolve()
    this.position.meanwhile()
    if (this.position.told instanceof Error) throw this.position.told
    return this.position.told
  }
}

const onLeader: Place = { host: 'L', leads: true, start: 'L started', knownAt: 0 }
const on = (host: string): Place => ({ host, leads: false, start: `${host} started`, knownAt: 0 })

/** A session that has to see so much. */
function wanting(position: Position): SessionReads {
  const session = new SessionReads()
  session.learned(position, 0)
  return session
}

describe('which timeline covers which position', () => {
  it.each([
    ['further on', at(7), at(6), true],
    ['exactly there', at(6), at(6), true],
    ['not yet there', at(5), at(6), false],
    ['further on, on a later timeline', at(7, 2), at(6), false],
    ['further on, on an earlier timeline', at(7), at(6, 2), false],
    ['not known', undefined, at(6), false],
  ])('%s', (_what, reached, wanted, expected) => {
    expect(covers(reached, wanted)).toBe(expected)
  })

  it('the later one is on the later timeline', () => {
    expect(later(at(9), at(3, 2))).toEqual(at(3, 2))
    expect(later(at(3, 2), at(9))).toEqual(at(3, 2))
    expect(later(at(9), at(3))).toEqual(at(9))
    expect(later(undefined, at(3))).toEqual(at(3))
    expect(later(at(3), undefined)).toEqual(at(3))
  })
})

interface Case {
  readonly what: string
  readonly session?: () => SessionReads
  readonly after?: Position
  readonly cluster?: (cluster: Cluster) => void
  readonly place: Place | undefined
  /** How often the leader was asked, and which standbys were. */
  readonly questions?: number
  readonly asked?: readonly string[]
}

const wrote = (): SessionReads => {
  const session = new SessionReads()
  session.wrote(0)
  return session
}
const saw =
  (host: string, start: unknown = `${host} started`) =>
  (): SessionReads => {
    const session = new SessionReads()
    session.seen = { host, start }
    return session
  }

const cases: readonly Case[] = [
  { what: 'a new session: whoever is next', session: () => new SessionReads(), place: on('s1') },
  {
    what: 'a known position, reached by the next: there',
    after: at(500),
    cluster: ({ replayed }) => void replayed.set('s1', at(500)),
    place: on('s1'),
    asked: ['s1'],
  },
  {
    what: 'a known position, not reached by the next in time: the leader',
    after: at(500),
    cluster: ({ replayed }) => void replayed.set('s1', at(499)),
    place: onLeader,
    asked: ['s1'],
  },
  { what: 'a standby that cannot be asked: the leader', after: at(500), place: onLeader, asked: ['s1'] },
  {
    what: 'a standby that has come as far on another timeline: the leader',
    after: at(500),
    cluster: ({ replayed }) => void replayed.set('s1', at(900, 2)),
    place: onLeader,
    asked: ['s1'],
  },
  {
    what: 'a token of a history that was cut off: the leader, and nobody is asked',
    after: at(500),
    cluster: (cluster) => void (cluster.present = 2),
    place: onLeader,
  },
  {
    what: 'a token of a newer history than is known: the leader',
    after: at(5, 2),
    place: onLeader,
  },
  {
    what: 'a session whose position is of a history that was cut off: the leader',
    session: () => wanting(at(500)),
    cluster: (cluster) => void (cluster.present = 2),
    place: onLeader,
  },
  {
    what: 'a token of a history that was cut off, in a session that knows the new one: the leader all the same',
    session: () => wanting(at(600, 2)),
    after: at(500),
    cluster: (cluster) => {
      cluster.present = 2
      cluster.replayed.set('s1', at(600, 2))
    },
    place: onLeader,
  },
  {
    what: 'an unknown write: the leader is asked, and a standby that has come so far serves',
    session: wrote,
    cluster: ({ replayed }) => void replayed.set('s1', at(500)),
    place: on('s1'),
    questions: 1,
    asked: ['s1'],
  },
  {
    what: 'an unknown write that no standby has: the leader',
    session: wrote,
    cluster: ({ replayed }) => void replayed.set('s1', at(499)),
    place: onLeader,
    questions: 1,
    asked: ['s1'],
  },
  {
    what: 'a leader that does not tell where it is: the leader',
    session: wrote,
    cluster: (cluster) => void (cluster.position.told = undefined),
    place: onLeader,
    questions: 1,
  },
  { what: 'who has read at a standby stays there', session: saw('s2'), place: on('s2') },
  {
    what: 'who has read at a standby that will not do any more: the leader is asked first',
    session: saw('s3'),
    cluster: ({ replayed }) => void replayed.set('s1', at(500)),
    place: on('s1'),
    questions: 1,
    asked: ['s1'],
  },
  {
    what: 'nor does one that was restarted meanwhile: it may have less than it had',
    session: saw('s1', 'an earlier start'),
    cluster: ({ replayed }) => void replayed.set('s1', at(499)),
    place: onLeader,
    questions: 1,
    asked: ['s1'],
  },
  {
    what: 'nor one whose start is in doubt',
    session: () => Object.assign(new SessionReads(), { seen: { host: 's1', start: undefined } }),
    cluster: ({ starts }) => void starts.delete('s1'),
    place: onLeader,
    questions: 1,
    asked: ['s1'],
  },
  {
    what: 'who stays waits there for what he has to see, whoever else has it',
    session: () => Object.assign(wanting(at(500)), { seen: { host: 's2', start: 's2 started' } }),
    cluster: ({ replayed }) => {
      replayed.set('s1', at(500))
      replayed.set('s2', at(499))
    },
    place: onLeader,
    asked: ['s2'],
  },
  {
    what: 'the leader steps in for the standbys: nobody has to be asked how far it is',
    after: at(500),
    cluster: (cluster) => void (cluster.readers = ['L']),
    place: onLeader,
  },
  {
    what: 'no standby, and nobody leads',
    session: () => new SessionReads(),
    cluster: (cluster) => {
      cluster.readers = []
      cluster.leads = undefined
    },
    place: undefined,
    questions: 1,
  },
  {
    what: 'no standby has it, and nobody leads: a leader is waited for',
    after: at(500),
    cluster: (cluster) => {
      cluster.leads = undefined
      cluster.position.meanwhile = () => void (cluster.leads = 'L')
    },
    place: onLeader,
    questions: 1,
    asked: ['s1'],
  },
]

describe('the place of a read', () => {
  it.each(cases)('$what', async ({ session, after, cluster: arrange, place: expected, questions = 0, asked = [] }) => {
    const cluster = new Cluster()
    arrange?.(cluster)
    expect(await place(cluster, session?.(), after)).toEqual(expected)
    expect([cluster.questions, cluster.asked]).toEqual([questions, asked])
  })

  it('is one that is known to have come so far, before another has to be asked', async () => {
    const cluster = new Cluster()
    cluster.replayed.set('s2', at(700))
    await cluster.positions.reaches('s2', at(500), 0)
    expect(await place(cluster, undefined, at(700))).toEqual(on('s2'))
    expect(cluster.asked).toEqual(['s2'])
  })

  it('is the next of all that are known to have', async () => {
    const cluster = new Cluster()
    for (const host of ['s1', 's2']) {
      cluster.replayed.set(host, at(700))
      await cluster.positions.reaches(host, at(500), 0)
    }
    cluster.next = 1
    expect(await place(cluster, undefined, at(700))).toEqual(on('s2'))
  })

  it('that could not be found, since the leader had to be asked, fails as that did', async () => {
    const cluster = new Cluster()
    cluster.position.told = new Error('nobody leads')
    await expect(place(cluster, wrote(), undefined)).rejects.toThrow('nobody leads')
  })
})

it('a place is what was known of its host before it was asked how far it is: it may be started again meanwhile', async () => {
  const cluster = new Cluster()
  const session = new SessionReads()
  cluster.known.set('s1', 10)
  cluster.onAsked = () => {
    cluster.starts.set('s1', 'started again')
    cluster.known.set('s1', 20)
  }
  cluster.replayed.set('s1', at(500))
  expect(await place(cluster, session, at(500))).toEqual({ ...on('s1'), knownAt: 10 })
  expect(session.seen).toEqual({ host: 's1', start: 's1 started' })
})

describe('a session', () => {
  it('remembers where it reads, and since which start', async () => {
    const cluster = new Cluster()
    const session = new SessionReads()
    await place(cluster, session, undefined)
    expect(session.seen).toEqual({ host: 's1', start: 's1 started' })
    cluster.next = 1
    expect(await place(cluster, session, undefined)).toEqual(on('s1'))
  })

  it('that reads on the leader for once comes back to where it was', async () => {
    const cluster = new Cluster()
    const session = wanting(at(500))
    session.seen = { host: 's1', start: 's1 started' }
    cluster.replayed.set('s1', at(499))
    expect(await place(cluster, session, undefined)).toEqual(onLeader)
    cluster.replayed.set('s1', at(500))
    expect(await place(cluster, session, undefined)).toEqual(on('s1'))
    expect(cluster.questions).toBe(0)
  })

  it('that moves asks the leader once, and all it has to see from then on is known', async () => {
    const cluster = new Cluster()
    const session = saw('s3')()
    cluster.replayed.set('s1', at(500))
    await place(cluster, session, undefined)
    await place(cluster, session, undefined)
    expect([session.wanted, session.hasUnknown, cluster.questions]).toEqual([at(500), false, 1])
  })

  it('does not move again for want of a standby: it has to see what it has asked for', async () => {
    const cluster = new Cluster()
    const session = saw('s3')()
    expect(await place(cluster, session, undefined)).toEqual(onLeader)
    expect([session.seen, session.wanted]).toEqual([undefined, at(500)])
    await place(cluster, session, undefined)
    expect(cluster.questions).toBe(1)
  })

  it('whose write is newer than the question asks again', async () => {
    const cluster = new Cluster()
    const session = wrote()
    cluster.replayed.set('s1', at(900))
    cluster.position.meanwhile = () => session.wrote(performance.now() + 1000)
    await place(cluster, session, undefined)
    expect(session.hasUnknown).toBe(true)
    await place(cluster, session, undefined)
    expect(cluster.questions).toBe(2)
  })

  it('two of whose reads begin at once reads at one place: the one that was found first', async () => {
    const cluster = new Cluster()
    const session = new SessionReads()
    const first = place(cluster, session, undefined)
    cluster.next = 1
    const second = place(cluster, session, undefined)
    expect([await first, await second]).toEqual([on('s1'), on('s1')])
  })

  it('overtaken by another of its reads, while the leader was asked, goes where that went', async () => {
    const cluster = new Cluster()
    const session = wrote()
    for (const host of ['s1', 's2']) cluster.replayed.set(host, at(500))
    cluster.position.meanwhile = () => void (session.seen = { host: 's2', start: 's2 started' })
    expect(await place(cluster, session, undefined)).toEqual(on('s2'))
  })

  it('that moves keeps the place that another of its reads has found meanwhile', async () => {
    const cluster = new Cluster()
    const session = saw('s3')()
    for (const host of ['s1', 's2']) cluster.replayed.set(host, at(500))
    cluster.position.meanwhile = () => void (session.seen = { host: 's2', start: 's2 started' })
    expect(await place(cluster, session, undefined)).toEqual(on('s2'))
    expect(session.seen).toEqual({ host: 's2', start: 's2 started' })
  })

  it('read from with the leader alone has no place to stay at', async () => {
    const cluster = new Cluster()
    cluster.readers = ['L']
    const session = new SessionReads()
    expect(await place(cluster, session, undefined)).toEqual(onLeader)
    expect(session.seen).toBeUndefined()
  })
})
