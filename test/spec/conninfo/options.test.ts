import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { noPassword } from '../../../src/client/conninfo/password-function'
import { resolveOptions } from '../../../src/client/conninfo/resolve-options'
import type { Surroundings } from '../../../src/client/conninfo/surroundings'
import { ConnInfoError } from '../../../src/errors'
import cases from './options.json'

/** The one password of all fixtures that are refused. */
const password = 's3cr3t-Pa55'

interface Case {
  readonly name: string
  readonly options: Readonly<Record<string, unknown>>
  readonly env: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, string>>
  readonly plain?: boolean
  /** The keys of the resolved hosts. */
  readonly hosts?: readonly string[]
  readonly targetSessionAttrs?: string
  readonly loadBalanceHosts?: string
  readonly connectTimeoutMillis?: number | null
  /** The whole of pg's configuration for the first host; without `password` where none is to be sent. */
  readonly client?: object
  /** A part of the refusal's text. */
  readonly refused?: string
}

function surroundings({ env, files = {} }: Case): Surroundings {
  return {
    env,
    windows: false,
    home: '/home/me',
    userName: 'me',
    readFile: (path) => {
      const text = files[path]
      return text === undefined ? undefined : { text, plain: true, open: false }
    },
  }
}

beforeEach(() => {
  // pg reads these by itself, and the machine that runs the tests may have them.
  for (const name of Object.keys(process.env)) if (name.startsWith('PG')) vi.stubEnv(name, undefined)
})
afterEach(() => {
  vi.unstubAllEnvs()
})

describe('the options of a Pool or Client', () => {
  it.each((cases as unknown as readonly Case[]).map((one) => [one.name, one] as const))('%s', (_name, one) => {
    if (one.refused !== undefined) {
      const refusal = refusalOf(one)
      expect(refusal).toBeInstanceOf(ConnInfoError)
      expect(refusal?.message).toContain(one.refused)
      expect(refusal?.message).not.toContain(password)
      return
    }
    const follow = resolveOptions(one.options, surroundings(one))
    expect(follow.plain).toBe(one.plain)
    expect(follow.hosts.map(({ key }) => key)).toEqual(one.hosts)
    expect(follow.targetSessionAttrs).toBe(
      one.targetSessionAttrs ?? (one.plain || follow.hosts.length < 2 ? 'any' : 'read-write'),
    )
    expect(follow.loadBalanceHosts).toBe(one.loadBalanceHosts ?? 'disable')
    if (one.connectTimeoutMillis !== undefined)
      expect(follow.connectTimeoutMillis).toBe(one.connectTimeoutMillis ?? undefined)
    for (const host of follow.hosts) {
      const config = follow.clientOptions(host)
      if (one.plain) expect(config).toBe(one.options)
      else expect(Object.values(config).some((value) => typeof value === 'string' && value.includes('://'))).toBe(false)
    }
    if (one.client) {
      const config = follow.clientOptions(follow.hosts[0] as never)
      if (config.password === noPassword) delete config.password
      expect(config).toEqual(one.client)
    }
  })
})

function refusalOf(one: Case): Error | undefined {
  try {
    resolveOptions(one.options, surroundings(one))
  } catch (error) {
    return error as Error
  }
  return undefined
}
