import { formatTable } from '../bench/support/format'
import { median } from '../bench/support/statistics'
import type { Chaos } from './chaos'
import type { Ledger } from './ledger'

/** What was held while it ran, and what was left of it. */
export interface Holdings {
  /** One look a second. */
  readonly heapBytes: readonly number[]
  readonly sockets: readonly number[]
  /** Left when the pool had ended: in its process, and on the servers. */
  readonly resources: readonly string[]
  readonly backends: readonly string[]
  readonly strays: readonly string[]
}

/** By how much the median of the last quarter may be above that of the first. */
const heapGrowthBytes = 4 * 2 ** 20

interface Growth {
  readonly first: number
  readonly last: number
}

function growth(values: readonly number[]): Growth {
  const quarter = Math.max(1, Math.floor(values.length / 4))
  return { first: median(values.slice(0, quarter)), last: median(values.slice(-quarter)) }
}

/** What is left over, a line each. */
function leaks({ heapBytes, resources, backends }: Holdings): readonly string[] {
  const { first, last } = growth(heapBytes)
  const grown = last - first > heapGrowthBytes ? [`the heap grew from ${mebibytes(first)} to ${mebibytes(last)}`] : []
  return [...resources.map((resource) => `${resource} after pool.end()`), ...backends, ...grown]
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

/** Prints the ledger; returns whether it is clean. */
export function report(ledger: Ledger, holdings: Holdings, chaos: Chaos, print: (text: string) => void): boolean {
  const leaked = leaks(holdings)
  const failed = [...ledger.failed, ...holdings.strays.map((stray) => `caught by nobody: ${stray}`)]
  const { duplicated, hung, wrong, lostAfterPromotion: late } = ledger
  const faults: Readonly<Record<string, readonly string[]>> = { duplicated, hung, failed, leaked, wrong }
  const heap = growth(holdings.heapBytes)
  const sockets = growth(holdings.sockets)
  const unknown = [...ledger.unknown.values()].reduce((sum, count) => sum + count, 0)
  const count = (value: number): string => value.toLocaleString('en-US')

  print(
    `\n${formatTable(
      ['fault', 'inflicted'],
      [...chaos.inflicted].map(([what, times]) => [what, String(times)]),
    )}`,
  )
  print(
    `\n${formatTable(
      ['calls', ''],
      Object.entries(ledger.calls).map(([kind, calls]) => [kind, count(calls)]),
    )}`,
  )
  const rows: [string, string, string][] = [
    ['acknowledged', count(ledger.acknowledged), `longest call ${Math.round(ledger.longestMillis)} ms`],
    ['looked up', count(ledger.lookedUp), 'COMMITs that went unanswered, found committed'],
    ['run again', count(ledger.runAgain), 'attempts at a transaction, said to be rolled back'],
    ['unknown', count(unknown), 'said to be so'],
    ['lost', count(ledger.lost), 'acknowledged by a server that history then left: asynchronous replication'],
    [
      '  of them',
      count(late.length),
      `begun when the next leader was there already, the last ${Math.round(Math.max(0, ...late))} ms after`,
    ],
    ...Object.entries(faults).map(([name, cases]): [string, string, string] => [name, count(cases.length), '']),
  ]
  print(`\n${formatTable(['ledger', '', ''], rows)}`)
  print(
    `\nheap ${mebibytes(heap.first)} in the first quarter, ${mebibytes(heap.last)} in the last; sockets ${sockets.first} and ${sockets.last}`,
  )
  for (const [reason, times] of ledger.unknown) print(`unknown: ${times} × ${reason}`)
  for (const [name, cases] of Object.entries(faults)) {
    for (const line of cases.slice(0, 20)) print(`${name}: ${line}`)
    if (cases.length > 20) print(`${name}: and ${cases.length - 20} more`)
  }
  return Object.values(faults).every((cases) => cases.length === 0)
}
