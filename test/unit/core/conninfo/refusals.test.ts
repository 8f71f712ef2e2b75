import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { resolveOptions } from '../../../../src/client/conninfo/resolve-options'
import { parseConnInfo } from '../../../../src/client/conninfo/parse'
import { ConnInfoError } from '../../../../src/errors'
import { connectionStrings } from '../../../integration/conninfo/strings'

const surroundings = { env: {}, windows: false, home: undefined, userName: 'me', readFile: () => undefined }
/** Distinct from every word and number that an error text may hold. */
const secret = 'Zq7_xW9vKp'

/** What was thrown, if anything was; a result is `undefined`. */
function refusalOf(attempt: () => unknown): unknown {
  try {
    attempt()
  } catch (error) {
    return error
  }
  return undefined
}

const anyString = fc.oneof(
  connectionStrings,
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ maxLength: 60 }),
)

it('is a ConnInfoError where there is no string at all', () => {
  for (const [text, kind] of [
    [undefined, 'undefined'],
    [null, 'null'],
    [5, 'a number'],
    [{}, 'an object'],
  ] as const) {
    const refusal = refusalOf(() => parseConnInfo(text as string))
    expect(refusal).toBeInstanceOf(ConnInfoError)
    expect((refusal as Error).message).toBe(`connection string: must be a string, not ${kind}`)
  }
})

describe('any string whatsoever', () => {
  it('is a result or a ConnInfoError', () => {
    fc.assert(
      fc.property(anyString, (text) => {
        const refusal = refusalOf(() => parseConnInfo(text))
        expect(refusal === undefined || refusal instanceof ConnInfoError).toBe(true)
      }),
      { numRuns: 3_000 },
    )
  })

  it('given to a Pool that follows a leader is a result or a ConnInfoError', () => {
    fc.assert(
      fc.property(anyString, (connectionString) => {
        const refusal = refusalOf(() =>
          resolveOptions({ connectionString, targetSessionAttrs: 'primary' }, surroundings),
        )
        expect(refusal === undefined || refusal instanceof ConnInfoError).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it('never shows what stands in it: a password may stand anywhere', () => {
    fc.assert(
      fc.property(anyString, fc.nat(), (text, at) => {
        const cut = at % (text.length + 1)
        const connectionString = text.slice(0, cut) + secret + text.slice(cut)
        for (const attempt of [
          () => parseConnInfo(connectionString),
          () => resolveOptions({ connectionString, targetSessionAttrs: 'primary' }, surroundings),
        ]) {
          const refusal = refusalOf(attempt)
          // A service and its file are named on purpose, and a host that is known to be one.
          if (refusal instanceof Error && !/^service: |channel_binding/.test(refusal.message)) {
            expect(refusal.message).not.toContain(secret)
          }
        }
      }),
      { numRuns: 4_000, examples: [["requirepeer='a' \tsslkey ='0-aaa' host =\t'--' ", 2027501913]] },
    )
  })
})

describe.each([
  'postgres://u:SECRET@a:1,b:x/db',
  'postgres://u:SECRET@[::1/db',
  'postgres://u:SECRET%@h',
  'postgres://u:SECRET @ h i/db',
  'postgres://u:SECRET/@h,i/db',
  'postgres://u:x@SECRET@h,i/db',
  'postgres://h,i?password=SECRET=x',
  'postgres://h,i?password=SECRET%zz',
  'postgres://h,i?password=a&SECRET',
  'postgres://h,i?password=a&SECRET=b',
  "password='SECRET",
  'password=a SECRET',
  'password=a SECRET=b host=h,i',
  'password SECRET',
  'host=a,b,c port=1,2 password=SECRET',
])('%s', (pattern) => {
  it('is refused, or its host is, without the password', () => {
    const connectionString = pattern.replace('SECRET', secret)
    const refusal = refusalOf(() => resolveOptions({ connectionString, targetSessionAttrs: 'any' }, surroundings))
    expect(String(refusal)).not.toContain(secret)
  })
})
