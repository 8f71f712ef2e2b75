import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { redactConnInfo } from '../../../../src/core/conninfo/redact'

describe('redactConnInfo', () => {
  it.each([
    ['postgres://u:secret@h/db', 'postgres://u:***@h/db'],
    ['postgres://u:se:cr@et@h,i:1/db?a=b', 'postgres://u:***@h,i:1/db?a=***'],
    ['postgres://u:se/cret@h/db', 'postgres://u:***@h/db'],
    ['postgres://u:se?cret@h/db', 'postgres://u:***@h/db'],
    ['postgres://u@h/db', 'postgres://u@h/db'],
    ['postgres://h:1,i:2/db?user=a@b', 'postgres://h:1,i:2/db?user=a@b'],
    ['postgres://h/db?password=secret&sslpassword=x&user=u', 'postgres://h/db?password=***&sslpassword=***&user=u'],
    ['postgres://h/db?p%61ssword=secret', 'postgres://h/db?p%61ssword=***'],
    ['postgres://h/db?passwort=secret&port=1', 'postgres://h/db?passwort=***&port=1'],
    ['POSTGRES://u:secret@h', 'POSTGRES://u:***@h'],
    ['host=h password=secret user=u', 'host=h password=*** user=u'],
    ["host=h password = 'a b\\'c' user=u", 'host=h password = *** user=u'],
    ["host=h password='unclosed user=u", 'host=h password=***'],
    ['password=two words host=h', 'password=*** host=h'],
    ['password=', 'password=***'],
    ['sslpassword=a oauth_client_secret=b', 'sslpassword=*** oauth_client_secret=***'],
    ['host=h', 'host=h'],
    ['', ''],
  ])('%s', (text, redacted) => {
    expect(redactConnInfo(text)).toBe(redacted)
  })

  it('hides every password that is where passwords go', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9:/?#@%&+ ,;.!'"-]{0,20}$/).map((text) => `Zq7${text}xW9`)
    fc.assert(
      fc.property(secret, (password) => {
        const quoted = password.replaceAll(/['\\]/g, '\\$&')
        for (const text of [
          `postgres://user:${encodeURIComponent(password)}@host/db?x=y`,
          `postgres://host/db?user=u&password=${encodeURIComponent(password)}`,
          `host=h password='${quoted}' user=u`,
          `password=${password.replaceAll(/\s/g, '\\$&')}`,
        ]) {
          const redacted = redactConnInfo(text)
          expect(redacted).not.toContain('Zq7')
          expect(redacted).not.toContain('xW9')
        }
      }),
      { numRuns: 1_000 },
    )
  })
})
