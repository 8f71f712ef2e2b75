import type { Answer, Kind, Open } from './answer'
import type { Fork } from './history'

/** All that is known when a soak is over. */
export interface Books {
  readonly answers: readonly Answer[]
  readonly open: readonly Open[]
  /** How often each row stands in the tables of the surviving primary. */
  readonly written: ReadonlyMap<string, number>
  /** Of the surviving history, the oldest first. */
  readonly forks: readonly Fork[]
  /** No call may take longer. */
  readonly longestCallMillis: number
  /** How long after a promotion a write may still be begun on the server that was replaced. */
  readonly staleMillis: number
}

/** What became of all calls. Each list holds one line for each case, for people. */
export interface Ledger {
  readonly calls: Readonly<Record<Kind, number>>
  readonly acknowledged: number
  readonly unknown: ReadonlyMap<string, number>
  /** COMMITs that were looked up and found committed, and attempts at a transaction that were run again. */
  readonly lookedUp: number
  readonly runAgain: number
  /** Acknowledged by a server beyond the point where the surviving history left it: the price of asynchronous replication. */
  readonly lost: number
  /** Of those, what was begun when the next leader was there already: how long after, in milliseconds. */
  readonly lostAfterPromotion: readonly number[]
  readonly duplicated: readonly string[]
  readonly hung: readonly string[]
  readonly failed: readonly string[]
  readonly wrong: readonly string[]
  readonly longestMillis: number
}

export function settle(books: Books): Ledger {
  const { answers, open, written, longestCallMillis } = books
  const calls: Record<Kind, number> = { 'plain write': 0, 'idempotent write': 0, read: 0, transaction: 0 }
  const unknown = new Map<string, number>()
  const failed: string[] = []
  const wrong: string[] = []
  const hung = open.map(({ id }) => `${id} had no answer when all was over`)
  const explain = explainer(books)
  let lost = 0
  const lostAfterPromotion: number[] = []
  for (const answer of answers) {
    const { kind, id, ending, reason = '' } = answer
    calls[kind] += 1
    const millis = answer.endedAt - answer.startedAt
    if (millis > longestCallMillis) hung.push(`${id} took ${Math.round(millis)} ms and was ${ending}`)
    if (ending === 'unknown') {
      const because = kind === 'transaction' ? `transaction: ${reason}` : kind
      unknown.set(because, (unknown.get(because) ?? 0) + 1)
    }
    if (ending === 'failed') failed.push(`${id}: ${reason}`)
    const rows = rowsOf(answer)
    for (const row of rows.disowned) {
      if (written.has(row)) wrong.push(`${row} was said to have come to nothing, and is there`)
    }
    if (ending !== 'acknowledged' || rows.last === undefined || written.has(rows.last)) continue
    const unexplained = explain(answer)
    if (unexplained === undefined) {
      lost += 1
      const fork = books.forks.find(({ timeline }) => timeline === answer.place?.timeline)
      const late = answer.startedAt - (fork?.doneAt ?? Infinity)
      if (late > 0) lostAfterPromotion.push(late)
    } else
      wrong.push(
        `${rows.last} was ${answer.lookedUp === true ? 'found committed' : 'acknowledged'} and is not there: ${unexplained}`,
      )
  }
  const known = new Set([...answers, ...open].map(({ id }) => id))
  for (const row of written.keys()) {
    if (!known.has(idOf(row))) wrong.push(`${row} is there, and nobody is known to have written it`)
  }
  return {
    calls,
    acknowledged: answers.filter(({ ending }) => ending === 'acknowledged').length,
    unknown,
    lookedUp: answers.filter(({ ending, lookedUp }) => ending === 'acknowledged' && lookedUp === true).length,
    runAgain: answers.reduce((sum, { attempts = 1 }) => sum + attempts - 1, 0),
    lost,
    lostAfterPromotion,
    duplicated: duplicates(written),
    hung,
    failed,
    wrong,
    longestMillis: answers.reduce((longest, { startedAt, endedAt }) => Math.max(longest, endedAt - startedAt), 0),
  }
}

/** The rows that a call may have written: the one that counts, and those of which it was said that they are not there. */
function rowsOf({ kind, id, ending, attempts = 0 }: Answer): {
  readonly last?: string
  readonly disowned: readonly string[]
} {
  switch (kind) {
    case 'read':
      return { disowned: [] }
    case 'plain write':
    case 'idempotent write':
      return { last: id, disowned: ending === 'failed' ? [id] : [] }
    case 'transaction': {
      const all = Array.from({ length: attempts }, (_each, attempt) => `${id}#${attempt}`)
      const last = all.at(-1)
      const isDisowned = ending === 'failed' || last === undefined
      return { ...(last !== undefined && { last }), disowned: isDisowned ? all : all.slice(0, -1) }
    }
    default:
      return kind satisfies never
  }
}

function idOf(row: string): string {
  return row.replace(/#.*/, '')
}

function duplicates(written: ReadonlyMap<string, number>): readonly string[] {
  const calls = new Map<string, number>()
  for (const [row, count] of written) {
    const id = idOf(row)
    calls.set(id, (calls.get(id) ?? 0) + count)
  }
  return [...calls].filter(([, count]) => count > 1).map(([id, count]) => `${id} is there ${count} times`)
}

/** Says of an acknowledged write that is missing what is wrong about that; `undefined`: its server's history was left. */
function explainer({ answers, forks, staleMillis }: Books): (answer: Answer) => string | undefined {
  const ends = new Map(forks.map((fork) => [fork.timeline, { ...fork, lastBefore: lastBefore(answers, fork) }]))
  return ({ place, lookedUp, startedAt, endedAt }) => {
    if (place === undefined) return 'nobody knows where it was written'
    const fork = ends.get(place.timeline)
    if (fork === undefined) return `timeline ${place.timeline} was never left`
    // Its commit stands before the row of whatever was begun after it was acknowledged.
    if (endedAt < fork.lastBefore) return `timeline ${place.timeline} was left behind it`
    if (lookedUp === true && endedAt > fork.doneAt) return 'its server had been replaced when it was looked up'
    const late = startedAt - fork.doneAt
    if (late > staleMillis) return `its server had been replaced ${Math.round(late)} ms before it was begun`
    return undefined
  }
}

/** When the last write was begun that is part of the history up to there. */
function lastBefore(answers: readonly Answer[], { timeline, lsn }: Fork): number {
  const before = answers.filter(({ place }) => place?.timeline === timeline && place.lsn < lsn)
  return before.reduce((latest, { startedAt }) => Math.max(latest, startedAt), -Infinity)
}
