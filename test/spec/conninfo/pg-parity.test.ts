import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import fc from 'fast-check'
import pg from 'pg'
import type { ClientConfig } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import { noPassword } from '../../../src/client/conninfo/password-function'
import { resolveOptions } from '../../../src/client/conninfo/resolve-options'
import type { Surroundings } from '../../../src/client/conninfo/surroundings'

const surroundings: Surroundings = {
  env: {},
  windows: false,
  home: undefined,
  userName: undefined,
  readFile: () => undefined,
}

/** What pg itself makes of a configuration; functions are compared by being there. */
function asPgSeesIt(config: ClientConfig): Record<string, unknown> {
  const { connectionParameters } = new pg.Client(config) as unknown as { connectionParameters: Record<string, unknown> }
  const { ssl, password, ...rest } = connectionParameters
  const shown: unknown =
    typeof ssl === 'object' && ssl !== null
      ? Object.fromEntries(
          Object.entries(ssl).map(([name, value]) => [name, typeof value === 'function' ? 'function' : value]),
        )
      : ssl
  // Both of pg's ways to say "with TLS, all defaults".
  // A constant of ours keeps pg from searching a password file by itself.
  return { ...rest, password: password === noPassword ? null : password, ssl: shown === true ? {} : shown }
}

/** The same string with one of our options, so that it does not go to pg unread. */
function throughUs(connectionString: string): ClientConfig {
  const follow = resolveOptions({ connectionString, targetSessionAttrs: 'primary' }, surroundings)
  expect(follow.plain).toBe(false)
  expect(follow.hosts).toHaveLength(1)
  return follow.clientOptions(follow.hosts[0] as never)
}

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'pg-leader-parity-'))
  for (const name of ['ca', 'cert', 'key']) writeFileSync(join(directory, name), `the ${name}`)
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))
beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('PG')) vi.stubEnv(name, undefined)
  // pg says once that it takes sslmode=require for verify-full.
  vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

describe('a connection string for one host means through us what it means to pg', () => {
  const word = fc.stringMatching(/^[A-Za-z0-9._-]{1,12}$/)
  const coded = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    .filter((text) => !/\p{Surrogate}/u.test(text) && !text.includes('\0'))
  const given = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
  const parts = fc.record({
    user: given(coded),
    password: given(coded),
    host: given(
      fc.oneof(
        word.map((name) => `h${name.toLowerCase()}`),
        fc.constantFrom('[::1]', '%2Ftmp'),
      ),
    ),
    port: given(fc.integer({ min: 1, max: 65_535 })),
    // Dots alone are steps of a path to pg's reader.
    dbname: given(word.filter((name) => /[^.]/.test(name))),
    application_name: given(coded),
    options: given(coded),
    fallback_application_name: given(coded),
    statement_timeout: given(fc.nat()),
    schema: given(word),
  })

  it('in all but TLS', () => {
    fc.assert(
      fc.property(parts, ({ user, password, host, port, dbname, ...parameters }) => {
        fc.pre(user !== undefined || password === undefined)
        const credentials =
          user === undefined ? '' : `${encode(user)}${password === undefined ? '' : `:${encode(password)}`}@`
        const query = Object.entries(parameters).flatMap(([name, value]) =>
          value === undefined ? [] : [`${name}=${encode(String(value))}`],
        )
        // Without a host pg's reader drops the port and sometimes the credentials: nothing to agree on.
        const netloc = host === undefined ? '' : `${credentials}${host}${port === undefined ? '' : `:${String(port)}`}`
        const text = `postgres://${netloc}/${dbname ?? ''}?${query.join('&')}`
        const ours = asPgSeesIt(throughUs(text))
        const theirs = asPgSeesIt({ connectionString: text })
        // A socket is never dialled with TLS, so we say so; pg would have said it by default.
        expect({ ...ours, sslnegotiation: undefined }).toEqual({ ...theirs, sslnegotiation: undefined })
      }),
      { numRuns: 500 },
    )
  })

  const modes = ['', 'disable', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify']
  const compat = ['', 'true']
  const files = [[], ['sslrootcert'], ['sslcert', 'sslkey'], ['sslrootcert', 'sslcert', 'sslkey']]
  const ssl = ['', 'true', '1', '0', 'no-verify']
  const matrix = modes.flatMap((sslmode) =>
    compat.flatMap((uselibpqcompat) =>
      files.flatMap((names) => ssl.map((value) => ({ sslmode, uselibpqcompat, names, ssl: value }))),
    ),
  )

  it('in TLS: every mode, with and without certificates, pg words and libpq meaning', () => {
    const fileOf: Readonly<Record<string, string>> = { sslrootcert: 'ca', sslcert: 'cert', sslkey: 'key' }
    let refused = 0
    for (const { names, ...words } of matrix) {
      const query = [
        ...Object.entries(words).filter(([, value]) => value !== ''),
        ...names.map((name) => [name, join(directory, fileOf[name] ?? '')] as const),
      ].map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
      const text = `postgres://u@h/d?${query.join('&')}`
      const theirs = attempt(() => asPgSeesIt({ connectionString: text }))
      const ours = attempt(() => asPgSeesIt(throughUs(text)))
      if (theirs instanceof Error) {
        refused += 1
        expect(ours).toMatchObject({ name: 'ConnInfoError', cause: { message: theirs.message } })
      } else expect([text, ours]).toEqual([text, theirs])
    }
    // verify-ca in libpq's meaning without a root certificate.
    expect(refused).toBeGreaterThan(0)
  })

  it('in TLS by PGSSLMODE', () => {
    for (const mode of ['', 'disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify']) {
      vi.stubEnv('PGSSLMODE', mode)
      const follow = resolveOptions({ host: 'a,b', user: 'u' }, { ...surroundings, env: { PGSSLMODE: mode } })
      expect(asPgSeesIt(follow.clientOptions(follow.hosts[0] as never))).toEqual(asPgSeesIt({ host: 'a', user: 'u' }))
    }
  })
})

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll("'", '%27')
}

function attempt<T>(make: () => T): T | Error {
  try {
    return make()
  } catch (error) {
    return error as Error
  }
}
