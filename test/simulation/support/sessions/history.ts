import fc from 'fast-check'

/** What happens to a server or to the way there. */
export type Trouble =
  | 'promote'
  | 'switch'
  | 'crash'
  | 'start'
  | 'restart'
  | 'rewind'
  | 'partition'
  | 'heal'
  | 'expire'
  | 'slow'
  | 'lag'
  | 'keep up'
  | 'hold'

export type Step =
  | { readonly do: 'trouble'; readonly what: Trouble; readonly host: number | undefined }
  | { readonly do: 'wait'; readonly millis: number }

/** What a session does next. `token`: it asks for a position, and somebody outside of it reads after that. */
export interface Act {
  readonly act: 'write' | 'checkout' | 'read' | 'two reads' | 'held read' | 'token'
  readonly work: number
  readonly pauseMillis: number
}

/** A cluster that replicates, sessions at work, and what happens to both. */
export interface History {
  /** How late each host replays, in milliseconds. */
  readonly lags: readonly number[]
  /** The application's role may read what a WAL receiver receives. */
  readonly isTold: boolean
  readonly max: number
  readonly waitMillis: number
  readonly fallback: 'primary' | 'error'
  readonly seed: number
  readonly sessions: readonly (readonly Act[])[]
  readonly steps: readonly Step[]
}

const trouble = fc.record({
  do: fc.constant('trouble' as const),
  what: fc.constantFrom<Trouble>(
    'promote',
    'promote',
    'switch',
    'crash',
    'start',
    'start',
    'restart',
    'rewind',
    'partition',
    'heal',
    'heal',
    'expire',
    'slow',
    'lag',
    'lag',
    'keep up',
    'hold',
  ),
  host: fc.option(fc.nat({ max: 3 }), { nil: undefined, freq: 4 }),
})
const wait = fc.record({
  do: fc.constant('wait' as const),
  millis: fc.oneof(
    { weight: 3, arbitrary: fc.nat({ max: 40 }) },
    { weight: 3, arbitrary: fc.nat({ max: 300 }) },
    { weight: 1, arbitrary: fc.integer({ min: 300, max: 1200 }) },
  ),
})

const act: fc.Arbitrary<Act> = fc.record({
  act: fc.constantFrom<Act['act']>(
    'write',
    'write',
    'checkout',
    'read',
    'read',
    'read',
    'read',
    'two reads',
    'held read',
    'token',
  ),
  work: fc.nat({ max: 10 }),
  pauseMillis: fc.oneof({ weight: 3, arbitrary: fc.nat({ max: 10 }) }, { weight: 2, arbitrary: fc.nat({ max: 150 }) }),
})

/** Histories of clusters of two to four hosts. */
export const histories: fc.Arbitrary<History> = fc.record({
  lags: fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 60 }), fc.nat({ max: 400 })), { minLength: 2, maxLength: 4 }),
  isTold: fc.boolean(),
  max: fc.integer({ min: 1, max: 4 }),
  waitMillis: fc.constantFrom(0, 20, 100),
  fallback: fc.constantFrom('primary', 'primary', 'error'),
  seed: fc.integer(),
  sessions: fc.array(fc.array(act, { minLength: 4, maxLength: 14, size: 'max' }), { minLength: 1, maxLength: 4 }),
  steps: fc.array(fc.oneof(trouble, wait), { minLength: 2, maxLength: 16, size: 'max' }),
})
