import { expect, it } from 'vitest'
import { walk, type AttemptResult } from '../../../src/client/walk'
import type { ResolvedHost } from '../../../src/client/conninfo/follow-options'
import type { TargetSessionAttrs } from '../../../src/core/selection/target-session-attrs'
import { ConnInfoError, HostsUnreachableError } from '../../../src/errors'
import fixtures from './walk.json'

interface Fixture {
  readonly name: string
  readonly attrs: string
  readonly hosts: readonly string[]
  readonly addresses?: Readonly<Record<string, readonly string[] | undefined>>
  readonly unresolved?: readonly string[]
  /** By target, or by target and pass: a code, `unsuitable`, or nothing if it will do. */
  readonly answers: Readonly<Record<string, string | undefined>>
  readonly loadBalanceHosts?: string
  readonly random?: readonly number[]
  readonly credentialsDiffer?: boolean
  readonly dialled: readonly string[]
  readonly taken?: string
  /** The code of what is thrown: a HostsUnreachableError where failures are given, else the attempt's own. */
  readonly error?: string
  readonly failures?: readonly string[]
}

const failing = (code: string): Error =>
  code === 'CONNINFO' ? new ConnInfoError('bad') : Object.assign(new Error(`failed with ${code}`), code ? { code } : {})

it.each(fixtures as readonly Fixture[])('$name', async (fixture) => {
  const dialled: string[] = []
  const numbers = [...(fixture.random ?? [])]
  const errors: Error[] = []
  let taken: string | undefined
  const run = walk(
    {
      hosts: fixture.hosts.map((host): ResolvedHost => ({
        key: host,
        host,
        hostaddr: undefined,
        port: 5432,
        weight: 1,
        tags: {},
      })),
      targetSessionAttrs: fixture.attrs as TargetSessionAttrs,
      loadBalanceHosts: fixture.loadBalanceHosts === 'random' ? 'random' : 'disable',
    },
    {
      random: () => numbers.shift() ?? expect.unreachable('asked for a random number too many'),
      async addresses({ key }) {
        if (fixture.unresolved?.includes(key)) throw failing('ENOTFOUND')
        return fixture.addresses?.[key] ?? []
      },
      async attempt(target, wanted): Promise<AttemptResult> {
        const where = target.hostaddr === undefined ? target.key : `${target.key}/${target.hostaddr}`
        dialled.push(`${where} ${wanted}`)
        const answer = fixture.answers[`${where} ${wanted}`] ?? fixture.answers[where]
        if (answer === undefined) {
          taken = where
          return { type: 'taken' }
        }
        if (answer === 'unsuitable' && wanted !== 'any') return { type: 'unsuitable', error: failing('08004') }
        if (answer === 'unsuitable') return { type: 'failed', error: failing('57P03') }
        const error = failing(answer)
        errors.push(error)
        return { type: 'failed', error }
      },
      credentialsDiffer: () => fixture.credentialsDiffer === true,
    },
  )
  const thrown = await run.then(
    () => undefined,
    (error: unknown) => error as Error & { code?: string },
  )
  expect(dialled).toEqual(fixture.dialled)
  expect(taken).toBe(fixture.taken)
  expect(thrown?.code).toBe(fixture.error)
  expect(numbers).toEqual([])
  if (fixture.failures !== undefined) {
    expect(thrown).toBeInstanceOf(HostsUnreachableError)
    const { failures } = thrown as HostsUnreachableError
    expect(
      failures.map(
        ({ host, address, error }) =>
          `${address === undefined ? host : `${host}/${address}`} ${(error as { code?: string }).code}`,
      ),
    ).toEqual(fixture.failures)
  } else if (thrown !== undefined) expect(errors).toContain(thrown)
})
