import { describe, expect, it } from 'vitest'
import { primary } from '../../../src/execution/read-scope'
import { GuessedReads } from '../../../src/facade/guessed-reads'
import { noStandby } from '../../../src/facade/reads'
import type { Reads } from '../../../src/facade/reads'

/** Where all texts are reads to the parser. */
function make({ hasStandby = true, isInTransaction = false } = {}): GuessedReads {
  const parser = { isRead: () => true, fingerprint: (text: string) => text }
  return new GuessedReads(parser, { hasStandby } as unknown as Reads, () => isInTransaction)
}

const text = 'select 1'
const serverError = (code: string): Error => Object.assign(new Error(code), { code, severity: 'ERROR' })

describe('what may be guessed', () => {
  it.each([text, { text }, { text, values: [1] }, { text, exactlyOnce: false }, { text, idempotent: false }])(
    'an unmarked statement: %o',
    (query) => expect(make().isRead(query)).toBe(true),
  )

  it.each([
    { text, readOnly: false },
    { text, idempotent: true },
    { text, exactlyOnce: true },
    { text, submit: () => undefined },
    { values: [] },
    { text: 7 },
    undefined,
    null,
    () => undefined,
  ])('not what is marked, has no text, or sends itself: %o', (query) => expect(make().isRead(query)).toBe(false))

  it('nothing in a transaction, in primary(), or where there is no standby', () => {
    expect(make({ isInTransaction: true }).isRead(text)).toBe(false)
    expect(primary(() => make().isRead(text))).toBe(false)
    expect(make({ hasStandby: false }).isRead(text)).toBe(false)
  })
})

describe('what is not the answer to a guess', () => {
  it.each(['25006', '0A000', '55000', 'XX000'])('what standbys refuse with: %s, and it is remembered', (code) => {
    const guessed = make()
    expect(guessed.leaderDecides(serverError(code), { text })).toBe(true)
    expect(guessed.isRead(text)).toBe(false)
  })

  it.each(['42P01', '42501', '28000', '40001', '22012', 'P0001'])(
    'any other refusal, which is not remembered: %s',
    (code) => {
      const guessed = make()
      expect(guessed.leaderDecides(serverError(code), text)).toBe(true)
      expect(guessed.isRead(text)).toBe(true)
    },
  )

  it('that there was no standby', () => expect(make().leaderDecides(noStandby, text)).toBe(true))

  it.each(['57014', '57P01', '57P02', '08P01', '08006'])('but what took too long, or ended its session: %s', (code) => {
    expect(make().leaderDecides(serverError(code), text)).toBe(false)
  })

  it('nor what no server has said', () => {
    expect(make().leaderDecides(new Error('Connection terminated unexpectedly'), text)).toBe(false)
    expect(make().leaderDecides(Object.assign(new Error('reset'), { code: 'ECONNRESET' }), text)).toBe(false)
  })
})
