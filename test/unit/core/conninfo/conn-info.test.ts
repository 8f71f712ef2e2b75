import { describe, expect, it } from 'vitest'

import { closestKeyword, connInfoKeywords, isConnInfoKeyword } from '../../../../src/core/conninfo/keywords'
import { parseConnInfo } from '../../../../src/core/conninfo/parse-conn-info'
import { readPgString } from '../../../../src/core/conninfo/pg-string'
import { resolveConnInfo, sourceOf } from '../../../../src/core/conninfo/resolve-conn-info'

describe('keywords', () => {
  it('guesses what was meant, or nothing', () => {
    expect(closestKeyword('pasword')).toBe('password')
    expect(closestKeyword('targetSessionAttrs')).toBe('target_session_attrs')
    expect(closestKeyword('schema')).toBeUndefined()
    expect(closestKeyword('x'.repeat(100))).toBeUndefined()
    for (const keyword of connInfoKeywords) expect(closestKeyword(keyword)).toBe(keyword)
  })

  it('takes no inherited property for a keyword', () => {
    expect(isConnInfoKeyword('constructor')).toBe(false)
    expect(parseConnInfo('__proto__=x').ok).toBe(false)
    expect(parseConnInfo('postgres://h?toString=x').ok).toBe(false)
  })
})

it('refuses half a character, which no server could be sent', () => {
  expect(parseConnInfo('host=\ud800')).toMatchObject({ ok: false, problem: { kind: 'encoding' } })
  expect(parseConnInfo('host=\ud83d\udc18')).toMatchObject({ ok: true })
})

it('freezes what it returns', () => {
  const parsed = parseConnInfo('host=a,b')
  expect(parsed.ok && [parsed.value, parsed.value.parameters, parsed.value.hosts].every(Object.isFrozen)).toBe(true)
})

it('knows where a value comes from', () => {
  const sources = { explicit: { user: 'a' }, service: { user: 'b', port: '1' }, environment: { port: '2', host: 'c' } }
  expect(resolveConnInfo(sources)).toEqual({ user: 'a', port: '1', host: 'c' })
  const where = (['user', 'port', 'host', 'dbname'] as const).map((keyword) => sourceOf(keyword, sources))
  expect(where).toEqual(['connection string or options', 'service file', 'environment', 'default'])
})

describe('a string as pg sees it', () => {
  it.each([
    ['postgres://u:p@h:1/d', 'pg', 'h', '1'],
    ['postgres://u:p@ss@h/d', 'pg', 'h', ''],
    ['postgres://u:a,b@h/d', 'pg', 'h', ''],
    ['postgres://[::1]:1/d', 'pg', '::1', '1'],
    ['postgres://h/a,b?options=c,d', 'pg', 'h', ''],
    ['postgres://h/d#a,b', 'pg', 'h', ''],
    ['postgres://h/d?a=b#c,d&flag', 'pg', 'h', ''],
    ['postgres://u:p@s#s,word@h/d', 'uri', 's', ''],
    ['postgres://h/d?target_session_attrs=any&load_balance_hosts=disable&hostaddr=', 'pg', 'h', ''],
    ['postgres://h/d?host=i&port=2', 'pg', 'i', '2'],
    ['postgres://a:1,b:2/d', 'uri', 'a', '1,b:2'],
    ['postgres://u@a,b/d', 'uri', 'a,b', ''],
    ['postgres://a%2Cb/d', 'uri', 'a,b', ''],
    ['postgres:///d?host=a,b', 'uri', 'a,b', ''],
    ['postgres:///d?ho%73t=a%2cb', 'uri', 'a,b', ''],
    ['postgres://h:1/d?port=1,2', 'uri', 'h', '1,2'],
    ['postgres://h/d?target_session_attrs=primary', 'uri', 'h', ''],
    ['postgres://h/d?load_balance_hosts=random', 'uri', 'h', ''],
    ['postgres://h/d?hostaddr=1.2.3.4', 'uri', 'h', ''],
    ['postgres://h/d?service=s', 'uri', 'h', ''],
    ['postgres://h/d#?host=a,b', 'uri', 'h', ''],
    ['postgres://h/d?a=b#c&target_session_attrs=primary', 'uri', 'h', ''],
    ['postgres://h/d?a=b#c&target_session_attrs=primary&flag', 'uri', 'h', ''],
    ['postgres://h/d? target_session_attrs=primary', 'uri', 'h', ''],
    ['cockroachdb://h/d?a=b#c&target_session_attrs=primary', 'uri', 'h', ''],
    ['POSTGRES://u:p#w@a,b/d', 'uri', 'u', 'p'],
    ['postgres://u:p?w@a,b/d', 'uri', 'u', 'p'],
    ['host=h', 'keyword-value', '', ''],
    ['\n host = h', 'keyword-value', '', ''],
    ['/tmp d', 'pg', '/tmp', ''],
    ['socket:/tmp?db=d', 'pg', '', ''],
    ['d?host=a,b', 'pg', '', ''],
  ] as const)('%s', (text, form, host, port) => {
    expect(readPgString(text)).toEqual({ form, host, port })
  })
})
