import { Guesses } from '../../src/core/routing/guesses'
import { routeOfRead } from '../../src/core/routing/read-route'
import { RouteCache, routeCacheLimits } from '../../src/core/routing/route-cache'
import { loadParser } from '../../src/parser'
import { readFlags } from '../support/flags'
import { show } from '../support/format'
import { Report } from '../support/report'
import { median, percentile, shuffled } from '../support/statistics'
import { texts } from './texts'

/** Something that is done so many times in a block; what it needs is made before. */
interface Work {
  readonly name: string
  readonly calls: number
  readonly prepare: () => () => void
}

const mostNanos = 1000

/**
 * What it costs to know where a text goes that is marked as a read: found in the cache, as the string that was asked for before
 * and as another string that says the same, which has to be hashed and compared; and read. The same of one that nobody has
 * marked, which is parsed by the server's own grammar.
 *
 * Flags: `--blocks` of each.
 */
export async function routing(args: readonly string[]): Promise<number> {
  const flags = readFlags(args, { blocks: 60, json: '' })
  const report = new Report('routing', flags, flags.blocks * 0.2, 'where a marked text goes, found and read')
  const parser = await loadParser()
  const guesses = new Guesses(parser)
  const atLimit = texts.long.plain.slice(0, routeCacheLimits.textLength)
  const hits = [
    hit('found, the same string', texts.short.plain, (text) => text),
    hit('found, an equal string', texts.short.plain, copyOf),
    hit('found, an equal string of the longest that are remembered', atLimit, copyOf),
    hit('unmarked: found, an equal string', texts.short.plain, copyOf, (text) => guesses.isRead(text)),
  ]
  const works = [
    ...hits,
    miss('read, plain', texts.short.plain, 2000),
    miss('read, pinned', texts.short.pinned, 2000),
    miss('read, plain and long', texts.long.plain, 200),
    miss('read, pinned and long', texts.long.pinned, 50),
    miss('unmarked: parsed', texts.short.plain, 50, (text) => parser.isRead(text)),
    miss('unmarked: its fingerprint', texts.short.plain, 50, (text) => parser.fingerprint(text)),
  ]
  const nanos = new Map<Work, number[]>(works.map((work) => [work, []]))
  // What is not compiled yet is not counted.
  for (let block = -5; block < flags.blocks; block++) {
    for (const work of shuffled(works)) {
      const measured = measure(work)
      if (block >= 0) nanos.get(work)!.push(measured)
    }
  }
  const rows = [...nanos].map(([{ name }, found]) => [name, show(median(found), 0), show(percentile(found, 0.95), 0)])
  report.table(
    `ns a call; short: ${texts.short.plain.length} characters, long: ${texts.long.plain.length}`,
    ['', 'median', 'p95'],
    rows,
  )
  for (const work of hits) {
    const measured = median(nanos.get(work)!)
    const bound = { required: `< ${mostNanos} ns`, measured: `${show(measured, 0)} ns`, met: measured < mostNanos }
    report.bound({ name: work.name, ...bound })
  }
  report.raw('nanos', Object.fromEntries([...nanos].map(([{ name }, found]) => [name, found])))
  return report.conclude(flags.json)
}

function measure({ calls, prepare }: Work): number {
  const run = prepare()
  const begun = process.hrtime.bigint()
  run()
  return Number(process.hrtime.bigint() - begun) / calls
}

function hit(name: string, text: string, asked: (text: string) => string, find = finder()): Work {
  const calls = 2000
  find(text)
  const prepare = (): (() => void) => {
    const strings = Array.from({ length: calls }, () => asked(text))
    return () => {
      for (const each of strings) find(each)
    }
  }
  return { name, calls, prepare }
}

function finder(): (text: string) => unknown {
  const cache = new RouteCache()
  return (text) => cache.routeOf(text)
}

function miss(name: string, text: string, calls: number, read: (text: string) => unknown = routeOfRead): Work {
  const run = (): void => {
    for (let call = 0; call < calls; call++) read(text)
  }
  return { name, calls, prepare: () => run }
}

/** A string of its own, of which no hash is known. */
function copyOf(text: string): string {
  return Buffer.from(text).toString()
}
