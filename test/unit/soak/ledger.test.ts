import { describe, expect, it } from 'vitest'
import type { Answer } from '../../../soak/answer'
import { settle } from '../../../soak/ledger'
import type { Books, Ledger } from '../../../soak/ledger'

/** Timeline 1 ended at 1000; the promotion was done at 500 ms. */
const forks = [{ timeline: 1, lsn: 1000, askedAt: 490, doneAt: 500 }]

const plain: Answer = {
  kind: 'plain write',
  id: 'a',
  worker: 0,
  startedAt: 100,
  endedAt: 110,
  ending: 'acknowledged',
  place: { timeline: 1, lsn: 900 },
}
const transaction: Answer = { ...plain, kind: 'transaction', attempts: 1, lookedUp: false }

function books(
  answers: readonly Answer[],
  written: Readonly<Record<string, number>>,
  more: Partial<Books> = {},
): Ledger {
  return settle({
    answers,
    open: [],
    written: new Map(Object.entries(written)),
    forks,
    longestCallMillis: 1000,
    staleMillis: 100,
    ...more,
  })
}

/** What has to be 0. */
const faults = ({ duplicated, hung, failed, wrong }: Ledger): readonly string[] => [
  ...duplicated.map((text) => `duplicated: ${text}`),
  ...hung.map((text) => `hung: ${text}`),
  ...failed.map((text) => `failed: ${text}`),
  ...wrong.map((text) => `wrong: ${text}`),
]

describe('the ledger of a soak', () => {
  it('finds nothing in what was acknowledged and is there', () => {
    const ledger = books([plain, { ...transaction, id: 'b' }], { a: 1, 'b#0': 1 })
    expect(faults(ledger)).toEqual([])
    expect(ledger).toMatchObject({ acknowledged: 2, lost: 0, lookedUp: 0, runAgain: 0 })
  })

  it('counts apart what is unknown, whether it is there or not', () => {
    const unknown = { ...plain, ending: 'unknown', place: undefined } as const
    const ledger = books([unknown, { ...unknown, id: 'b' }], { a: 1 })
    expect(faults(ledger)).toEqual([])
    expect([...ledger.unknown]).toEqual([['plain write', 2]])
  })

  it('counts apart what was acknowledged by a server that history left', () => {
    const lost = { ...plain, place: { timeline: 1, lsn: 1001 } }
    // Its row stands before the fork, its commit may stand behind it.
    const straddling = { ...transaction, id: 'b', startedAt: 101, endedAt: 111, place: { timeline: 1, lsn: 999 } }
    const ledger = books([lost, straddling], {})
    expect(faults(ledger)).toEqual([])
    expect(ledger).toMatchObject({ lost: 2, lostAfterPromotion: [] })
  })

  it('says how many of those were begun when the next leader was there', () => {
    const late = { ...plain, startedAt: 550, endedAt: 560, place: { timeline: 1, lsn: 2000 } }
    const ledger = books([late], {})
    expect(faults(ledger)).toEqual([])
    expect(ledger).toMatchObject({ lost: 1, lostAfterPromotion: [50] })
  })

  it.each<[string, Answer[], Record<string, number>]>([
    ['a is there 2 times', [plain], { a: 2 }],
    ['a is there 2 times', [{ ...transaction, attempts: 2 }], { 'a#0': 1, 'a#1': 1 }],
  ])('%s: duplicated', (text, answers, written) => {
    expect(books(answers, written).duplicated).toEqual([text])
  })

  it.each<[string, Answer[], Record<string, number>]>([
    [
      'a was acknowledged and is not there: timeline 2 was never left',
      [{ ...plain, place: { timeline: 2, lsn: 1 } }],
      {},
    ],
    [
      'a was acknowledged and is not there: timeline 1 was left behind it',
      [plain, { ...plain, id: 'b', startedAt: 200, endedAt: 210, place: { timeline: 1, lsn: 950 } }],
      { b: 1 },
    ],
    [
      'a was acknowledged and is not there: its server had been replaced 200 ms before it was begun',
      [{ ...plain, startedAt: 700, endedAt: 710, place: { timeline: 1, lsn: 2000 } }],
      {},
    ],
    [
      'a#0 was found committed and is not there: its server had been replaced when it was looked up',
      [{ ...transaction, lookedUp: true, endedAt: 600, place: { timeline: 1, lsn: 2000 } }],
      {},
    ],
    ['a was acknowledged and is not there: nobody knows where it was written', [{ ...plain, place: undefined }], {}],
    ['a#0 was said to have come to nothing, and is there', [{ ...transaction, attempts: 2 }], { 'a#0': 1, 'a#1': 1 }],
    ['a was said to have come to nothing, and is there', [{ ...plain, ending: 'failed', reason: 'why' }], { a: 1 }],
    ['z is there, and nobody is known to have written it', [], { z: 1 }],
  ])('%s: wrong', (text, answers, written) => {
    expect(books(answers, written).wrong).toEqual([text])
  })

  it('says what hung and what failed', () => {
    const slow = { ...plain, endedAt: plain.startedAt + 1001 }
    const refused = { ...plain, id: 'b', ending: 'failed', reason: 'refused' } as const
    const open = [{ kind: 'read', id: 'c', startedAt: 1 }] as const
    expect(faults(books([slow, refused], { a: 1 }, { open }))).toEqual([
      'hung: c had no answer when all was over',
      'hung: a took 1001 ms and was acknowledged',
      'failed: b: refused',
    ])
  })
})
