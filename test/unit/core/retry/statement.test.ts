import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isReplayable } from '../../../../src/core/retry/statement'

const comment = fc.constantFrom(' ', '\n', '-- ; x\n', '/* ; /* ; */ */', '\t')
const literal = fc.oneof(
  fc.string().map((text) => `'${text.replaceAll('\\', '').replaceAll("'", "''")}'`),
  fc.string().map((text) => `"${text.replaceAll('"', '""')}"`),
  fc.string().map((text) => `$q$${text.replaceAll('$', '')}$q$`),
  fc.constantFrom('a', '1', '$1', '(', ')', ',', '::text', 'a$b', '||'),
)
const tail = fc.array(fc.tuple(comment, literal)).map((parts) => parts.flat().join(''))

describe('isReplayable', () => {
  it('accepts a statement of the allow-list whatever its literals and comments hold', () => {
    fc.assert(
      fc.property(comment, fc.constantFrom('select', 'INSERT', 'With', 'delete'), tail, (before, verb, rest) => {
        expect(isReplayable(`${before}${verb} ${rest}`)).toBe(true)
      }),
    )
  })

  it('refuses whatever has a second statement behind it', () => {
    fc.assert(
      fc.property(tail, tail, comment, (first, second, between) => {
        expect(isReplayable(`select ${first};${between}call ${second}`)).toBe(false)
      }),
    )
  })

  it('answers for any text at all', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => typeof isReplayable(text) === 'boolean'))
  })

  it.each(["'", '"', '$$'])('answers for a literal of 16 million characters in %s', (quote) => {
    expect(isReplayable(`insert into t values (${quote}${'x'.repeat(2 ** 24)}${quote})`)).toBe(true)
  })
})
