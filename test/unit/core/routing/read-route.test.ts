import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasReadMark } from '../../../../src/core/routing/read-mark'
import { routeOfRead } from '../../../../src/core/routing/read-route'
import { isReplayable } from '../../../../src/core/retry/statement'
import readMarks from '../../../spec/routing/read-marks.json'
import readRoutes from '../../../spec/routing/read-routes.json'

const texts = readRoutes.map(({ text }) => text)

/** No backslash and no dollar: in a text, whatever it holds, this is white space. */
const gap = fc.oneof(
  fc.constantFrom(' ', '\n', '\t', '/**/'),
  fc.string().map((text) => `/*${text.replaceAll(/[*/\\$]/g, '')}*/`),
  fc.string().map((text) => `--${text.replaceAll(/[\n\r\\$]/g, '')}\n`),
)
const gaps = fc.array(gap, { maxLength: 3 }).map((parts) => parts.join(''))

const hidden = fc.constantFrom(
  'pg_advisory_lock(1)',
  '; begin read write; ',
  'set_config($1, $2)',
  '(',
  'E',
  'x',
  '\n',
  '--',
)
const inside = fc.array(fc.oneof(hidden, fc.string({ maxLength: 5 }))).map((parts) => parts.join(''))

/** What it holds is nobody's statement. */
const literal = fc.oneof(
  inside.map((text) => `'${text.replaceAll('\\', '').replaceAll("'", "''")}'`),
  inside.map((text) => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`),
  inside.map((text) => `"${text.replaceAll('\\', '').replaceAll('"', '""')}"`),
  inside.map((text) => `$q$${text.replaceAll(/[$\\]/g, '')}$q$`),
  inside.map((text) => `/* ${text.replaceAll(/[*/\\]/g, '')} */`),
  inside.map((text) => `-- ${text.replaceAll(/[\n\r\\]/g, '')}\n`),
  fc.constantFrom('1', '$1', '::text', '||', 'a$b'),
)
const list = fc.array(fc.tuple(fc.constant(', '), literal), { maxLength: 6 }).map((parts) => parts.flat().join(''))

const call = fc
  .constantFrom('pg_advisory_lock', 'PG_TRY_ADVISORY_LOCK', 'Set_Config', '"pg_terminate_backend"', 'dblink_exec')
  .chain((name) => fc.constantFrom(name, `pg_catalog.${name}`, `"pg_catalog" . ${name}`))

/** Any text made of what the fixtures are made of. */
const soup = fc
  .array(fc.oneof(fc.constantFrom(...texts, ...texts.flatMap((text) => text.split(/\b/))), fc.string({ maxLength: 3 })))
  .map((parts) => parts.join(''))

describe('routeOfRead', () => {
  it('finds a pinned call whatever stands between its name and its parenthesis, and around it', () => {
    fc.assert(
      fc.property(gaps, list, call, gaps, list, (before, first, name, between, second) => {
        const text = `${before}select 1${first}, ${name}${between}('a', 1)${second}`
        expect(routeOfRead(text).to, text).toBe('leader')
      }),
    )
  })

  it('takes no literal, no comment and no quoted name for a statement', () => {
    fc.assert(
      fc.property(gaps, list, (before, rest) => {
        expect(routeOfRead(`${before}select 1${rest}`).to).toBe('standby')
        expect(routeOfRead(`${before}begin;select 1${rest}`).to).toBe('standby')
      }),
    )
  })

  it('finds what opens a transaction to write behind anything', () => {
    fc.assert(
      fc.property(list, gaps, gap, (before, first, second) => {
        const text = `select 1${before};${first}start transaction read${second}write`
        expect(routeOfRead(text).to, text).toBe('nowhere')
      }),
    )
  })

  it('never says less of several statements than of one of them', () => {
    const strictness = ['standby', 'leader', 'nowhere']
    fc.assert(
      fc.property(fc.constantFrom(...readRoutes), fc.constantFrom(...readRoutes), (first, second) => {
        // Nothing is behind a quote that does not end.
        fc.pre(!first.comment.startsWith('never ends'))
        const of = strictness.indexOf(routeOfRead(`${first.text}\n;${second.text}`).to)
        expect(of).toBeGreaterThanOrEqual(strictness.indexOf(first.to))
      }),
    )
  })

  it('says of what it does not read to the end what it would have found there', () => {
    fc.assert(
      fc.property(soup, (text) => {
        expect(routeOfRead(text)).toEqual(routeOfRead(`;${text}`))
      }),
      { numRuns: 2000 },
    )
  })

  it('answers for any text at all', () => {
    fc.assert(
      fc.property(fc.oneof(soup, fc.string({ unit: 'binary' })), (text) => {
        expect(['standby', 'leader', 'nowhere']).toContain(routeOfRead(text).to)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('hasReadMark', () => {
  const marks = readMarks.map(({ text }) => text)

  it('answers for any text at all, and finds no mark where none is written', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...marks), soup)), (parts) => {
        const text = parts.join('')
        if (hasReadMark(text)) expect(text).toMatch(/\/\*\s*pg-leader:\s*read-only\s*\*\//)
      }),
    )
  })

  it('finds the mark behind whatever literals and comments there are', () => {
    fc.assert(
      fc.property(gaps, list, gaps, (before, rest, after) => {
        expect(hasReadMark(`${before}select 1${rest}${after}/* pg-leader: read-only */`)).toBe(true)
      }),
    )
  })
})

/** Of eight times the text, eight times the processor time; what is read over and over takes sixty times as long. */
describe('the time that a text takes grows with its length', () => {
  const [short, long] = [2 ** 17, 2 ** 20]
  /** What takes less is not looked at more closely. */
  const least = cost(';', '+', short)

  it.each([
    ['', ' '],
    ['', '('],
    ['', '/*'],
    ['', '/**/'],
    ['', '--'],
    ['', '--\n'],
    ['', ';'],
    ['', '$'],
    ['', '$a'],
    ['', '$a$'],
    ['', '$a$ $b$'],
    ['', "'a',"],
    ['', "'\\',"],
    ['', "e'\\',"],
    ['', "'"],
    ['', '"'],
    ['', 'U&"a"'],
    ['', 'a '],
    ['', 'a('],
    ['', 'a'],
    ['$', 'a'],
    ['/* pg-leader:', ' '],
    ['', '/* pg-leader: '],
    ['select ', "'\\' pg_advisory_lock("],
    ['select ', 'pg_'],
    ['select ', 'pg_advisory_lock '],
    ['select ', 'last_value '],
    ['select ', 'set_config('],
    ['select ', "set_config('a'::"],
    ['begin ', 'read '],
    ['begin ', 'read only, '],
    ['', 'begin read '],
    ['', 'set local '],
    ['set ', 'transaction '],
    ['copy ', '('],
    ['copy ', 'to '],
    ['declare ', 'with '],
    ['explain ', 'analyze '],
    ['', 'do $$ $$;'],
    ['do ', '$$ read $$ '],
    ['do $$', 'read '],
    ['do $$', ' do '],
    ["do '", "''"],
  ])('%j and then %j over and over', (beginning, piece) => {
    const scale = Math.max(least, cost(beginning, piece, short))
    expect(cost(beginning, piece, long)).toBeLessThan(14 * scale)
  })

  /** Processor time of this process, in µs: others may be at work on the machine. */
  function cost(beginning: string, piece: string, length: number): number {
    const text = beginning + piece.repeat(length / piece.length)
    const begun = process.cpuUsage()
    routeOfRead(text)
    hasReadMark(`/* pg-leader: */${text}`)
    isReplayable(`select ${text}`)
    return process.cpuUsage(begun).user
  }
})
