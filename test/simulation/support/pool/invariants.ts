import type { Book } from './book'

/** What has to hold, by DESIGN's section on tests. */
export const invariantNames = [
  'a write goes only to a host believed to be the leader at that instant',
  'a write never goes to a lower timeline than the highest seen',
  'every call settles exactly once',
  'a write of unknown outcome executes at most once',
  'a call that succeeded was executed, one that was refused was not',
  'what was never sent fails by a time limit, by its caller or by the end',
  'held callers leave in order',
  'with a leader up long enough every held call succeeds',
  'after end() nothing is left',
] as const

export type InvariantName = (typeof invariantNames)[number]

/** What was wrong first, for each invariant that was broken. */
export type Violations = ReadonlyMap<InvariantName, string>

/** Told of everything that is wrong. */
export type Wrong = (name: InvariantName, why: string) => void

/** How a call may fail that was never sent: a dial that failed, and whatever a host says of itself, is not among it. */
const neverSent = [
  /^HostSelectionTimeoutError: /,
  /^AbortError: /,
  /^Error: Cannot use a pool after calling end on the pool$/,
  /^Error: timeout exceeded when trying to connect$/,
  /^Error: Connection terminated due to connection timeout$/,
]

/** What must be true of every call when all is over. */
export function judgeCalls(book: Book, wrong: Wrong): void {
  for (const { id, kind, sent, settled, executed } of book.entries) {
    const what = `${kind} ${id}`
    if (settled.length !== 1) wrong('every call settles exactly once', `${what} settled ${settled.length} times`)
    const [outcome] = settled
    const isUnsent = kind !== 'checkout' && sent.length === 0 && outcome?.error !== undefined
    if (isUnsent && !neverSent.some((way) => way.test(show(outcome.error))))
      wrong('what was never sent fails by a time limit, by its caller or by the end', `${what}: ${show(outcome.error)}`)
    if (kind === 'write' || kind === 'procedure' || kind === 'checkout') {
      if (executed.length > 1)
        wrong('a write of unknown outcome executes at most once', `${what} was executed ${executed.length} times`)
      const unknown = kind === 'checkout' || (outcome?.error as { code?: string } | undefined)?.code === '08007'
      if (outcome?.error !== undefined && !unknown && executed.length > 0)
        wrong('a call that succeeded was executed, one that was refused was not', `${what}: ${show(outcome.error)}`)
    }
    if (outcome !== undefined && outcome.error === undefined && executed.length === 0)
      wrong('a call that succeeded was executed, one that was refused was not', `${what} succeeded`)
  }
}

/** What a caller was told, for people. */
export function show(error: unknown): string {
  if (error === undefined) return 'no answer'
  return error instanceof Error ? `${error.name}: ${error.message}` : JSON.stringify(error)
}
