import { describe, expect, it } from 'vitest'
import { Guesses } from '../../../../src/core/routing/guesses'
import type { StatementParser } from '../../../../src/core/routing/statement-parser'

/** A parser to which everything is a read, and texts are alike that differ in their digits only; and what it was asked. */
function watched(parser: Partial<StatementParser> = {}) {
  const asked: string[] = []
  const isRead = (text: string): boolean => {
    asked.push(text)
    return true
  }
  const all = { isRead, fingerprint: (text: string) => text.replaceAll(/\d+/g, '?'), ...parser }
  return { asked, make: (limits?: object) => new Guesses(all, { entries: 10, textLength: 40, refused: 2, ...limits }) }
}

describe('Guesses', () => {
  it('asks the parser once', () => {
    const { asked, make } = watched()
    const guesses = make()
    for (const text of ['select 1', 'select 2', 'select 1', 'select 2']) expect(guesses.isRead(text)).toBe(true)
    expect(asked).toEqual(['select 1', 'select 2'])
  })

  it('does not ask of what goes to the leader by rule, is too long, or may mean something else to the server', () => {
    const { asked, make } = watched()
    for (const text of [
      'select pg_advisory_lock(1)',
      'begin read write',
      `select '${'x'.repeat(40)}'`,
      "select 'a\\'' || 'b'",
      'select 1\0; delete from t',
    ]) {
      expect(make().isRead(text)).toBe(false)
    }
    expect(asked).toEqual([])
  })

  it('takes what throws, or answers anything but yes, for no read', () => {
    const throws = (): never => {
      throw new Error('syntax error')
    }
    expect(watched({ isRead: throws }).make().isRead('select 1')).toBe(false)
    expect(
      watched({ isRead: () => false })
        .make()
        .isRead('select 1'),
    ).toBe(false)
    expect(
      watched({ isRead: (() => Promise.resolve(false)) as never })
        .make()
        .isRead('select 1'),
    ).toBe(false)
  })

  it('remembers what was refused, and what is like it: also texts that it took for reads before', () => {
    const guesses = watched().make()
    expect(['select 1 x', 'select 2 x', 'select y'].map((text) => guesses.isRead(text))).toEqual([true, true, true])
    guesses.refused('select 1 x')
    expect(['select 1 x', 'select 2 x', 'select 3 x', 'select y'].map((text) => guesses.isRead(text))).toEqual([
      false,
      false,
      false,
      true,
    ])
  })

  it('remembers the text of what has no fingerprint', () => {
    const none = [() => undefined, (): never => raise()]
    for (const fingerprint of none) {
      const guesses = watched({ fingerprint }).make()
      guesses.refused('select 1')
      expect(['select 1', 'select 2'].map((text) => guesses.isRead(text))).toEqual([false, true])
    }
  })

  it('forgets the oldest of what was refused', () => {
    const guesses = watched().make()
    for (const text of ['select a', 'select b', 'select c']) guesses.refused(text)
    expect(['select a', 'select b', 'select c'].map((text) => guesses.isRead(text))).toEqual([true, false, false])
  })

  it('takes nothing for a read any more once a transaction is begun or ended by a statement', () => {
    for (const text of [
      'begin',
      'BEGIN ISOLATION LEVEL SERIALIZABLE',
      'commit',
      '/* x */ rollback;',
      'start transaction',
    ]) {
      const guesses = watched().make()
      expect(guesses.isRead('select 1')).toBe(true)
      expect(guesses.isRead(text)).toBe(false)
      expect(['select 1', 'select 2'].map((each) => guesses.isRead(each))).toEqual([false, false])
    }
  })
})

function raise(): never {
  throw new Error('no fingerprint')
}
