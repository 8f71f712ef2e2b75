import { expect, it } from 'vitest'
import { misshape } from '../../../src/core/wire/shape'
import table from './shape.json'

it.each(table)('$name', ({ message, flaw }) => {
  const [type, body] = message as [string, number[]]
  // What comes before and after is not of this message.
  const bytes = Uint8Array.from([1, ...body, 0, 0])
  expect(misshape(type.charCodeAt(0), bytes, 1, 1 + body.length) ?? null).toBe(flaw)
})
