import fc from 'fast-check'
import type { Disturbance } from '../history'
import type { Kind } from './book'

/** What happens to a server or to the way there, beside what a topology can see of it. */
export type Trouble = Exclude<Disturbance, 'restore'> | 'halt' | 'expire' | 'fill' | 'slow'

/** One thing that happens. `host` counts modulo the number of hosts; undefined: whoever is the primary. */
export type Step =
  | { readonly do: 'trouble'; readonly what: Trouble; readonly host: number | undefined }
  /** Callers come, all at once. */
  | Calls
  | { readonly do: 'wait'; readonly millis: number }
  /** The process under test does nothing for so long. */
  | { readonly do: 'stall'; readonly millis: number }
  /** `pool.pause()`, and `pool.resume()` after so long. */
  | { readonly do: 'pause'; readonly millis: number }

export interface Calls {
  readonly do: 'call'
  readonly kind: Kind
  readonly times: number
  readonly work: number
  readonly gap: number
  readonly promised: boolean
  /** After so long the caller's signal is aborted. */
  readonly patience: number | undefined
}

/** A cluster, a pool that follows it, and all that happens to both. */
export interface History {
  readonly hosts: number
  /** Hosts of another cluster, and hosts whose identity, timeline and start cannot be read. */
  readonly odd: { readonly foreign: readonly number[]; readonly unreadable: readonly number[] }
  readonly max: number
  readonly connectionTimeoutMillis: number | undefined
  readonly aliveCheckMillis: number
  /** Of latencies and of the library's own chance. */
  readonly seed: number
  readonly steps: readonly Step[]
  /** After which step `pool.end()` is called; beyond the last: when all is over. */
  readonly endAfter: number
}

const host = fc.nat({ max: 6 })

const calls: fc.Arbitrary<Calls> = fc.record({
  do: fc.constant('call' as const),
  kind: fc.constantFrom<Kind>('write', 'write', 'write', 'idempotent', 'read', 'procedure', 'checkout'),
  times: fc.integer({ min: 1, max: 6 }),
  work: fc.nat({ max: 40 }),
  gap: fc.nat({ max: 30 }),
  promised: fc.boolean(),
  // Of ten one is in a hurry.
  patience: fc
    .tuple(fc.nat({ max: 9 }), fc.nat({ max: 300 }))
    .map(([chance, millis]) => (chance < 9 ? undefined : millis)),
})

const wait = fc.record({
  do: fc.constant('wait' as const),
  millis: fc.oneof(
    { weight: 4, arbitrary: fc.nat({ max: 40 }) },
    { weight: 3, arbitrary: fc.nat({ max: 250 }) },
    { weight: 1, arbitrary: fc.integer({ min: 500, max: 1700 }) },
  ),
})

const what = fc.constantFrom<Trouble>(
  'promote',
  'promote',
  'promote',
  'fork',
  'demote',
  'crash',
  'halt',
  'start',
  'start',
  'restart',
  'fence',
  'partition',
  'partition',
  'heal',
  'heal',
  'lie',
  'expire',
  'fill',
  'slow',
)
const trouble = fc.record({
  do: fc.constant('trouble' as const),
  what,
  host: fc.option(host, { nil: undefined, freq: 2 }),
})
const pause = fc.record({ do: fc.constant('pause' as const), millis: fc.nat({ max: 300 }) })

const warmUp: readonly Step[] = [
  { do: 'call', kind: 'read', times: 2, work: 0, gap: 0, promised: true, patience: undefined },
  { do: 'wait', millis: 150 },
]

/** Statements are under way when the primary meets its fate. */
const strike = fc
  .record({
    calls,
    gap: fc.integer({ min: 5, max: 40 }),
    moment: fc.integer({ min: 5, max: 60 }),
    what: fc.constantFrom<Trouble>('crash', 'crash', 'halt', 'restart', 'partition', 'demote', 'fence', 'expire'),
  })
  .map(({ calls, gap, moment, what }): Step[] => [
    { ...calls, gap },
    { do: 'wait', millis: moment },
    { do: 'trouble', what, host: undefined },
  ])

/** A process that slept for little more or less than a time limit cannot tell that from a host that was silent. */
const longStall = fc.integer({ min: 300, max: 5000 }).map((millis): Step[] => [
  { do: 'stall', millis },
  { do: 'wait', millis: 100 },
])

const single = <T extends Step>(step: fc.Arbitrary<T>): fc.Arbitrary<Step[]> => step.map((each) => [each])

const anything = fc.oneof(
  { weight: 8, arbitrary: single(calls) },
  { weight: 7, arbitrary: single(wait) },
  { weight: 7, arbitrary: single(trouble) },
  { weight: 2, arbitrary: strike },
  {
    weight: 1,
    arbitrary: single(fc.record({ do: fc.constant('stall' as const), millis: fc.integer({ min: 20, max: 600 }) })),
  },
  { weight: 1, arbitrary: single(pause) },
)

const noTrouble = fc.oneof(
  { weight: 4, arbitrary: single(calls) },
  { weight: 4, arbitrary: single(wait) },
  { weight: 3, arbitrary: longStall },
  { weight: 1, arbitrary: single(pause) },
)

const someHosts = fc.uniqueArray(host, { minLength: 1, maxLength: 2 })

/** Not both: a host that does not tell its identity keeps another identity from ever counting as ours. */
const odd = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ foreign: [], unreadable: [] }) },
  { weight: 1, arbitrary: fc.record({ foreign: someHosts, unreadable: fc.constant([]) }) },
  { weight: 1, arbitrary: fc.record({ foreign: fc.constant([]), unreadable: someHosts }) },
)

function playable(given: {
  readonly hosts: readonly number[]
  readonly odd: fc.Arbitrary<History['odd']>
  readonly timeout: fc.Arbitrary<number | undefined>
  readonly steps: fc.Arbitrary<Step[]>
}): fc.Arbitrary<History> {
  return fc.record({
    hosts: fc.constantFrom(...given.hosts),
    odd: given.odd,
    max: fc.integer({ min: 1, max: 4 }),
    connectionTimeoutMillis: given.timeout,
    aliveCheckMillis: fc.constantFrom(0, 50, 1000, Infinity),
    seed: fc.integer(),
    steps: fc.array(given.steps, { minLength: 2, maxLength: 18, size: 'max' }).map((each) => each.flat()),
    endAfter: fc.nat({ max: 50 }),
  })
}

/** Histories of clusters with so many hosts; a number that is there twice comes twice as often. */
export function histories(hosts: readonly number[]): fc.Arbitrary<History> {
  const timeout = fc.option(fc.integer({ min: 100, max: 3000 }), { nil: undefined, freq: 3 })
  const struck = strike.map((steps) => [...warmUp, ...steps])
  return fc
    .tuple(playable({ hosts, odd, timeout, steps: anything }), fc.option(struck, { nil: [], freq: 1 }))
    .map(([history, first]) => ({ ...history, steps: [...first, ...history.steps] }))
}

/** Histories in which nothing happens to a server, so nothing may happen to a caller. */
export function quietHistories(hosts: readonly number[]): fc.Arbitrary<History> {
  const nothing = { odd: fc.constant({ foreign: [], unreadable: [] }), timeout: fc.constant(undefined) }
  return playable({ hosts, ...nothing, steps: noTrouble }).map((history) => ({
    ...history,
    steps: [...warmUp, ...history.steps],
  }))
}
