import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConnInfoError } from '../../../src/errors'
import { readReadOptions } from '../../../src/facade/read-options'

describe('readReadOptions', () => {
  const defaults = {
    max: undefined,
    maxLagMillis: Infinity,
    maxLagBytes: Infinity,
    loadBalance: 'least-requests',
    latencyWindowMillis: 25,
    tags: [],
    fallback: 'primary',
    consistencyWaitMillis: 100,
    parser: undefined,
  }

  it('has the defaults of the manual, left out or empty', () => {
    expect(readReadOptions(undefined)).toEqual(defaults)
    expect(readReadOptions({})).toEqual(defaults)
    expect(readReadOptions({ max: undefined, fallback: undefined })).toEqual(defaults)
  })

  it('takes what is given', () => {
    const given = {
      max: 5,
      maxLagMillis: 1000.5,
      maxLagBytes: 0,
      loadBalance: 'round-robin',
      latencyWindowMillis: 0,
      tags: [{ zone: 'z1', disk: 'ssd' }, { zone: 'z1' }, {}],
      fallback: 'error',
      consistencyWaitMillis: 0,
    }
    expect(readReadOptions(given)).toEqual(given)
    for (const loadBalance of ['least-requests', 'round-robin', 'random']) {
      expect(readReadOptions({ loadBalance }).loadBalance).toBe(loadBalance)
    }
  })

  it('takes Infinity for no limit', () => {
    const given = { maxLagMillis: Infinity, maxLagBytes: Infinity, latencyWindowMillis: Infinity }
    expect(readReadOptions(given)).toEqual({ ...defaults, latencyWindowMillis: Infinity })
  })

  it('takes a parser for what is not marked, and leaves it alone where that is not asked for', () => {
    const parser = { isRead: () => true, fingerprint: () => undefined }
    expect(readReadOptions({ routeReads: 'parsed', parser }).parser).toBe(parser)
    expect(readReadOptions({ routeReads: 'marked', parser }).parser).toBeUndefined()
    expect(readReadOptions({ parser: 'any' }).parser).toBeUndefined()
  })

  it('keeps its own copy of the tags', () => {
    const zone = { zone: 'z1' }
    const { tags } = readReadOptions({ tags: [zone] })
    zone.zone = 'z2'
    expect(tags).toEqual([{ zone: 'z1' }])
  })

  const groups = "readOnly.tags must be an array of groups such as [{ zone: 'a' }], the preferred one first"
  const group = "must be an object of strings such as { zone: 'a' }"

  it.each([
    [true, 'readOnly must be an object of options or be left out, not true'],
    [null, 'readOnly must be an object of options or be left out, not null'],
    [[], 'readOnly must be an object of options or be left out, not an array'],
    [
      { maxLag: 1 },
      'readOnly: has no option "maxLag"; it has max, maxLagMillis, maxLagBytes, loadBalance, latencyWindowMillis, tags, fallback, consistencyWaitMillis, routeReads, parser',
    ],
    [{ toString: 1 }, 'readOnly: has no option "toString"'],
    [{ max: 0 }, 'readOnly.max must be a whole number of at least 1, not 0'],
    [{ max: 1.5 }, 'readOnly.max must be a whole number of at least 1, not 1.5'],
    [{ max: '5' }, 'readOnly.max must be a whole number of at least 1, not "5"'],
    [{ max: Infinity }, 'readOnly.max must be a whole number of at least 1, not Infinity'],
    [{ maxLagMillis: 0 }, 'readOnly.maxLagMillis must be a number from 1 to 3600000, or Infinity for no limit, not 0'],
    [{ maxLagMillis: 3_600_001 }, 'readOnly.maxLagMillis must be a number from 1 to 3600000, or Infinity'],
    [
      { maxLagMillis: NaN },
      'readOnly.maxLagMillis must be a number from 1 to 3600000, or Infinity for no limit, not NaN',
    ],
    [{ maxLagMillis: '1s' }, 'or Infinity for no limit, not "1s"'],
    [{ maxLagBytes: -1 }, 'readOnly.maxLagBytes must be a number of at least 0, or Infinity for no limit, not -1'],
    [
      { maxLagBytes: 10n },
      'readOnly.maxLagBytes must be a number of at least 0, or Infinity for no limit, not a bigint',
    ],
    [{ latencyWindowMillis: -1 }, 'readOnly.latencyWindowMillis must be a number of at least 0, or Infinity'],
    [
      { loadBalance: 'least-connections' },
      `readOnly.loadBalance must be one of 'least-requests', 'round-robin', 'random', not "least-connections"`,
    ],
    [{ loadBalance: null }, `readOnly.loadBalance must be one of`],
    [{ consistencyWaitMillis: -1 }, 'readOnly.consistencyWaitMillis must be a number of at least 0, not -1'],
    [
      { consistencyWaitMillis: Infinity },
      'readOnly.consistencyWaitMillis must be a number of at least 0, not Infinity',
    ],
    [{ routeReads: 'guessed' }, `readOnly.routeReads must be one of 'marked', 'parsed', not "guessed"`],
    [{ routeReads: 'parsed' }, `readOnly.parser must be what loadParser() of 'pg-leader/parser' resolves with`],
    [{ routeReads: 'parsed', parser: Promise.resolve() }, `as routeReads is 'parsed', not an object`],
    [{ routeReads: 'parsed', parser: { isRead: () => true } }, `as routeReads is 'parsed', not an object`],
    [{ fallback: 'leader' }, `readOnly.fallback must be one of 'primary', 'error', not "leader"`],
    [{ tags: { zone: 'a' } }, `${groups}, not an object`],
    [{ tags: 'zone=a' }, `${groups}, not a string`],
    [{ tags: ['a'] }, `readOnly.tags[0]: ${group}, not a string`],
    [{ tags: [{}, , {}] }, `readOnly.tags[1]: ${group}, not undefined`],
    [{ tags: [{ zone: 'a' }, { rack: 7 }] }, 'readOnly.tags[1]: the tag "rack" must be a string, not 7'],
  ])('refuses %o and says why', (given, message) => {
    const read = (): unknown => readReadOptions(given)
    expect(read).toThrow(ConnInfoError)
    expect(read).toThrow(message)
  })

  it('takes whatever it is, or refuses it by name', () => {
    const names = fc.constantFrom(
      'max',
      'maxLagMillis',
      'maxLagBytes',
      'loadBalance',
      'latencyWindowMillis',
      'tags',
      'fallback',
      'consistencyWaitMillis',
      'routeReads',
      'parser',
      'other',
    )
    fc.assert(
      fc.property(names, fc.anything({ withBigInt: true, withNullPrototype: true }), (name, value) => {
        try {
          expect(Object.keys(readReadOptions({ [name]: value }))).toEqual(Object.keys(defaults))
        } catch (error) {
          expect(error).toBeInstanceOf(ConnInfoError)
          expect((error as Error).message).toMatch(new RegExp(`^readOnly.*${name}`))
        }
      }),
    )
  })
})
