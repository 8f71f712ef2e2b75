import fc from 'fast-check'

/** What can happen to one server. */
export type Disturbance =
  'promote' | 'fork' | 'demote' | 'crash' | 'start' | 'restart' | 'fence' | 'partition' | 'heal' | 'lie' | 'restore'

/** One thing that happens, to a cluster or to what a client hears of it. `host` counts modulo the number of hosts. */
export type Step =
  /** The servers. */
  | { readonly do: Disturbance; readonly host: number }
  /** A question to a host: it is answered as things are `half` later, and the answer comes after another `half`. */
  | { readonly do: 'probe'; readonly host: number; readonly half: number }
  /** Questions to all hosts at once. */
  | { readonly do: 'round'; readonly half: number }
  /** A client noticed something about its connection. */
  | { readonly do: 'suspect'; readonly host: number }
  | { readonly do: 'wait'; readonly millis: number }
  | { readonly do: 'reset' }
  /** Somebody lists hosts: of all that there are those whose bit is set, or all if none is. */
  | { readonly do: 'list'; readonly bits: number }
  /** An authority makes up its mind: this host leads, or nobody does. */
  | { readonly do: 'name'; readonly host: number | undefined }
  /** It is asked; as a probe is, and its word holds for a lease. It may be out of reach. */
  | { readonly do: 'consult'; readonly half: number; readonly lease: number; readonly reached: boolean }
  /** This process is blocked: time passes, and what was told meanwhile is heard after what was due. */
  | { readonly do: 'block'; readonly millis: number }

/** A cluster and all that happens to it. */
export interface History {
  readonly hosts: number
  /** Hosts that belong to another cluster, and say that they are primaries of it. */
  readonly foreign: readonly number[]
  /** Hosts whose identity, timeline and start time cannot be read. */
  readonly unreadable: readonly number[]
  /** An authority has to confirm the leader. */
  readonly governed: boolean
  readonly steps: readonly Step[]
}

const host = fc.nat({ max: 6 })
const half = fc.nat({ max: 60 })

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('probe' as const), host, half }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('round' as const), half }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), millis: fc.nat({ max: 150 }) }) },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constantFrom<Disturbance>(
        'promote',
        'promote',
        'fork',
        'demote',
        'crash',
        'start',
        'restart',
        'fence',
        'partition',
        'heal',
        'lie',
      ),
      host,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('suspect' as const), host }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('wait' as const), millis: fc.integer({ min: 900, max: 1500 }) }),
  },
)

const governing: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('consult' as const),
      half,
      lease: fc.integer({ min: 20, max: 400 }),
      reached: fc.integer({ min: 0, max: 4 }).map((n) => n > 0),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('name' as const), host: fc.option(host, { nil: undefined, freq: 5 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('block' as const), millis: fc.integer({ min: 60, max: 1500 }) }),
  },
)

/** What is only in a history where it is asked for. */
export interface Ingredients {
  /** `reset`, and columns that cannot be read: both lift rules. */
  readonly lifting?: boolean
  /** Servers restored from an old backup: their timeline falls. */
  readonly restores?: boolean
  /** An authority that has to confirm the leader, and a process that is blocked now and then. */
  readonly authority?: boolean
  /** The list of hosts changes. */
  readonly listing?: boolean
}

/** Histories. */
export function histories({
  lifting = false,
  restores = false,
  authority = false,
  listing = false,
}: Ingredients = {}): fc.Arbitrary<History> {
  const reset = fc.constant<Step>({ do: 'reset' })
  const restore = fc.record({ do: fc.constant('restore' as const), host })
  const list = fc.record({ do: fc.constant('list' as const), bits: fc.nat({ max: 127 }) })
  const steps = fc.oneof(
    { weight: 25, arbitrary: step },
    { weight: lifting ? 1 : 0, arbitrary: reset },
    { weight: restores ? 3 : 0, arbitrary: restore },
    { weight: authority ? 16 : 0, arbitrary: governing },
    { weight: listing ? 5 : 0, arbitrary: list },
  )
  const few = { weight: 3, arbitrary: fc.constant<readonly number[]>([]) }
  const some = { weight: 1, arbitrary: fc.uniqueArray(host, { minLength: 1, maxLength: 2 }) }
  return fc.record({
    hosts: fc.integer({ min: 1, max: 7 }),
    foreign: fc.oneof(few, some),
    unreadable: lifting ? fc.oneof(few, some) : fc.constant([]),
    governed: fc.constant(authority),
    steps: fc.array(steps, { minLength: 5, maxLength: 70, size: 'max' }),
  })
}
