import { describe, expect, it } from 'vitest'

import type { ConnInfoHost } from '../../../src/core/conninfo/pair-hosts'
import { parseConnInfo } from '../../../src/core/conninfo/parse-conn-info'
import { findPassword } from '../../../src/core/conninfo/password-file'
import type { PasswordKey } from '../../../src/core/conninfo/password-file'
import type { Problem } from '../../../src/core/conninfo/result'
import { findService } from '../../../src/core/conninfo/service-file'
import keywordValue from './keyword-value.json'
import pairing from './pairing.json'
import passwordFile from './password-file.json'
import serviceFile from './service-file.json'
import uri from './uri.json'

interface Case {
  readonly name: string
  readonly text: string
  readonly parameters?: Readonly<Record<string, string>> | null
  readonly hosts?: readonly ConnInfoHost[]
  readonly rejects?: Problem['kind']
  readonly reason?: string
}

function byName<T extends { name: string }>(cases: readonly T[]): readonly (readonly [string, T])[] {
  return cases.map((one) => [one.name, one])
}

function expectRefusal(result: ReturnType<typeof findService>, { rejects, reason }: Case): void {
  expect(result).toMatchObject({
    ok: false,
    problem: { kind: rejects, message: expect.stringContaining(reason ?? '') },
  })
}

describe.each([
  ['a URI', uri],
  ['keyword/value pairs', keywordValue],
  ['a host list', pairing],
] as const)('%s', (_, cases) => {
  it.each(byName(cases as unknown as readonly Case[]))('%s', (_name, one) => {
    const result = parseConnInfo(one.text)
    if (one.rejects !== undefined) expectRefusal(result as never, one)
    else {
      expect(result).toMatchObject({ ok: true })
      if (one.parameters) expect(result.ok && result.value.parameters).toEqual(one.parameters)
      if (one.hosts) expect(result.ok && result.value.hosts).toEqual(one.hosts)
    }
  })
})

describe('a service file', () => {
  it.each(byName(serviceFile as unknown as readonly (Case & { service: string })[]))('%s', (_name, one) => {
    const result = findService(one.text, one.service)
    if (one.rejects !== undefined) expectRefusal(result, one)
    else expect(result).toEqual({ ok: true, value: one.parameters ?? undefined })
  })
})

describe('a password file', () => {
  it.each(byName(passwordFile as readonly { name: string; text: string; key: PasswordKey; password: string | null }[]))(
    '%s',
    (_name, { text, key, password }) => {
      expect(findPassword(text, key)).toBe(password ?? undefined)
    },
  )
})
