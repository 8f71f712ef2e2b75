import { beforeAll, describe, expect, it } from 'vitest'
import { Guesses } from '../../../src/core/routing/guesses'
import { loadParser } from '../../../src/parser'
import type { StatementParser } from '../../../src/parser'
import corpus from './corpus.json'

let parser: StatementParser

beforeAll(async () => {
  parser = await loadParser()
})

describe('whether a text is a read, as far as it shows', () => {
  // What is known by its fingerprint only is one by its text.
  const rows = corpus.filter(({ comment }) => !comment.startsWith('differs in its literals only'))

  it.each(rows)('$to: $text ($comment)', ({ to, text }) => {
    expect(new Guesses(parser).isRead(text)).toBe(to !== 'leader')
  })

  it.each(corpus.filter(({ comment }) => comment.startsWith('differs in its literals only')))(
    'as long as nothing like it was refused: $text',
    ({ text }) => {
      const guesses = new Guesses(parser)
      expect(guesses.isRead(text)).toBe(true)
      for (const refused of corpus.filter((each) => each.to === 'refused')) guesses.refused(refused.text)
      expect(guesses.isRead(text)).toBe(false)
    },
  )
})
