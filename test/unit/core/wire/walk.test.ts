import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MessageWalk } from '../../../../src/core/wire/walk'
import {
  commandComplete,
  dataRow,
  errorResponse,
  header,
  message,
  readyForQuery,
  rowDescription,
} from '../../../support/backend'

/** Pieces of these bytes, cut in these places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((start, index) => bytes.subarray(start, at[index])).filter(({ length }) => length > 0)
}

/** Walks through all of it: how many bytes were found to be whole messages, if there is a flaw, and what that is. */
function walked(pieces: readonly Buffer[]): { readonly bytes: number; readonly reason: string } | undefined {
  const walk = new MessageWalk()
  let bytes = 0
  for (const piece of pieces) {
    const flaw = walk.next(piece)
    if (flaw !== undefined) return { bytes: bytes + flaw.at, reason: flaw.reason }
    bytes += piece.length
  }
  return undefined
}

const wellFormed = fc.array(
  fc.oneof(
    fc.constant(readyForQuery('I')),
    fc.constant(commandComplete('SELECT 1')),
    fc.constant(errorResponse({ severity: 'ERROR', code: '23505', routine: 'x' })),
    fc
      .array(fc.string({ maxLength: 5 }), { maxLength: 4 })
      .map((names) => rowDescription(names.map((name) => name.replaceAll('\0', '')))),
    fc.array(fc.option(fc.string({ maxLength: 40 })), { maxLength: 4 }).map(dataRow),
    fc.uint8Array({ maxLength: 40 }).map((body) => message('d', body)),
  ),
  { maxLength: 12 },
)
const places = fc.array(fc.nat(), { maxLength: 20 })

describe('MessageWalk', () => {
  it('finds nothing in what a server sends, however it is cut', () => {
    fc.assert(
      fc.property(wellFormed, places, (messages, where) => {
        expect(walked(cut(Buffer.concat(messages), where))).toBeUndefined()
      }),
    )
  })

  it.each([
    ['an error without an end', message('E', 'SERROR\0C23505\0'), 'an error or notice has no end'],
    ['a tag without an end', message('C', 'SELECT'), 'a text has no end'],
    ['a length that cannot be', header('D', 3), 'a message is shorter than its own length'],
  ])(
    'finds %s, wherever it stands and however it is cut, and not before all of it is there',
    (_what, flawed, reason) => {
      fc.assert(
        fc.property(wellFormed, wellFormed, places, (before, after, where) => {
          const found = walked(cut(Buffer.concat([...before, flawed, ...after]), where))
          expect(found?.reason).toBe(reason)
          const start = Buffer.concat(before).length
          expect(found?.bytes).toBeGreaterThanOrEqual(start)
          expect(found?.bytes).toBeLessThan(start + flawed.length)
        }),
      )
    },
  )

  it('steps over a row of many chunks', () => {
    const row = dataRow(['x'.repeat(200_000)])
    const pieces = cut(Buffer.concat([row, message('E', 'S')]), [3, 65_536, 131_072, 196_608])
    expect(walked(pieces)).toEqual({ bytes: row.length, reason: 'an error or notice has no end' })
  })
})
