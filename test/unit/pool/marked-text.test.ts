import { describe, expect, it } from 'vitest'
import { isMarkedText } from '../../../src/pool/marked-text'

const text = 'select $1'

describe('isMarkedText', () => {
  it.each([
    { text },
    { text, values: [1] },
    { text, values: undefined, readOnly: true },
    { text, values: [1], idempotent: true, signal: new AbortController().signal, after: '1/0', tag: 'x' },
  ])('%o says no more to pg than its text and values', (query) => {
    expect(isMarkedText(query)).toBe(true)
  })

  it.each([
    ['a string', text],
    ['nothing', null],
    ['a name', { text, name: 'n' }],
    ['a name that is hidden', Object.defineProperty({ text }, 'name', { value: 'n' })],
    ['a row mode', { text, rowMode: 'array' }],
    ['types', { text, types: {} }],
    ['a time limit of its own', { text, query_timeout: 1 }],
    ['something that pg does not know yet', { text, something: 1 }],
    ['no text', { values: [] }],
    ['a text that is none', { text: 1 }],
    ['values that pg would call back', { text, values: () => undefined }],
    ['an object of a class', Object.assign(Object.create({ name: 'n' }) as object, { text })],
  ])('%s is left to pg', (_what, query) => {
    expect(isMarkedText(query)).toBe(false)
  })
})
