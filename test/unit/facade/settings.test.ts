import { describe, expect, it } from 'vitest'
import { ConnInfoError } from '../../../src/errors'
import { readReadOptions } from '../../../src/facade/read-options'
import { readSettings } from '../../../src/facade/settings'

describe('readSettings', () => {
  it('has the defaults of the manual', () => {
    expect(readSettings({}, undefined)).toEqual({
      limits: { connectionTimeoutMillis: undefined, failoverTimeoutMillis: undefined },
      maxWaiting: 10_000,
      aliveCheckMillis: 1000,
      authority: undefined,
      discovery: [],
      exactlyOnce: false,
      outcome: undefined,
      reads: readReadOptions(undefined),
      consistency: 'session',
      times: { intervalMillis: 1000, leaderlessIntervalMillis: 25, timeoutMillis: 1000 },
    })
  })

  it('takes what is given, part by part', () => {
    const given = {
      failoverTimeoutMillis: 5000,
      maxWaiting: Infinity,
      aliveCheckMillis: 0,
      monitor: { intervalMillis: 250, timeoutMillis: 300.5 },
      authority: { name: 'dcs', leader: async () => undefined },
      discovery: [{ name: 'registry', hosts: async () => [] }],
    }
    expect(readSettings(given, 700)).toEqual({
      limits: { connectionTimeoutMillis: 700, failoverTimeoutMillis: 5000 },
      maxWaiting: Infinity,
      aliveCheckMillis: 0,
      authority: given.authority,
      discovery: given.discovery,
      exactlyOnce: false,
      outcome: undefined,
      reads: readReadOptions(undefined),
      consistency: 'session',
      times: { intervalMillis: 250, leaderlessIntervalMillis: 25, timeoutMillis: 300.5 },
    })
  })

  it('asks only when something happened with monitor: false', () => {
    expect(readSettings({ monitor: false }, undefined).times).toEqual({
      intervalMillis: Infinity,
      leaderlessIntervalMillis: 25,
      timeoutMillis: 1000,
    })
  })

  it('reads a table of markers: in public, unless told otherwise, and for a day', () => {
    const read = (outcome: object): unknown => readSettings({ outcome, failoverTimeoutMillis: 5000 }, undefined).outcome
    const day = 86_400_000
    expect(read({ table: 'markers' })).toEqual({ given: 'markers', table: 'public.markers', maxAgeMillis: day })
    expect(read({ table: 'app."M"', maxAgeMillis: 10_000 })).toMatchObject({ table: 'app."M"', maxAgeMillis: 10_000 })
    expect(read({ table: 'markers', maxAgeMillis: Infinity })).toMatchObject({ maxAgeMillis: Infinity })
  })

  it.each([
    [{ failoverTimeoutMillis: 0 }, 'failoverTimeoutMillis must be a number of at least 1, not 0'],
    [{ failoverTimeoutMillis: Infinity }, 'failoverTimeoutMillis must be a number of at least 1, not Infinity'],
    [{ failoverTimeoutMillis: '5000' }, 'failoverTimeoutMillis must be a number of at least 1, not "5000"'],
    [{ maxWaiting: 0 }, 'maxWaiting must be a number of at least 1 or Infinity, not 0'],
    [{ maxWaiting: null }, 'maxWaiting must be a number of at least 1 or Infinity, not null'],
    [{ aliveCheckMillis: -1 }, 'aliveCheckMillis must be a number of at least 0 or Infinity, not -1'],
    [{ aliveCheckMillis: NaN }, 'aliveCheckMillis must be a number of at least 0 or Infinity, not NaN'],
    [{ monitor: true }, 'monitor must be an object of times or false, not true'],
    [{ monitor: null }, 'monitor must be an object of times or false, not null'],
    [{ monitor: 'off' }, 'monitor must be an object of times or false, not "off"'],
    [{ monitor: { intervalMillis: 0 } }, 'monitor.intervalMillis must be a number of at least 1, not 0'],
    [
      { monitor: { leaderlessIntervalMillis: -25 } },
      'monitor.leaderlessIntervalMillis must be a number of at least 1, not -25',
    ],
    [{ authority: 'dcs' }, 'authority must be an object with a name and a function leader, not "dcs"'],
    [
      { discovery: 'registry' },
      'discovery must be an array of sources, each with a name and a function hosts, not "registry"',
    ],
    [
      { discovery: [] },
      'discovery must be an array of sources, each with a name and a function hosts, not an empty one',
    ],
    [{ discovery: [null] }, 'discovery[0] must be an object with a name and a function hosts, not null'],
    [
      { discovery: [{ name: 'registry', hosts: async () => [] }, { name: 'other' }] },
      'discovery[1] must be an object with a name and a function hosts, not an object',
    ],
    [{ outcome: 'guess' }, `outcome must be 'witness', { table: 'name' }, or be left out, not "guess"`],
    [{ outcome: null }, `outcome must be 'witness', { table: 'name' }, or be left out, not null`],
    [{ outcome: ['markers'] }, `outcome must be 'witness', { table: 'name' }, or be left out, not`],
    [{ outcome: {} }, `outcome.table must be the name of a table, 'name' or 'schema.name'`],
    [{ outcome: { table: 'a; drop table b' } }, 'bytes, not "a; drop table b"'],
    [{ outcome: { table: 'markers', maxAge: 5 } }, 'outcome.maxAge: there is table, and maxAgeMillis; remove it'],
    [{ outcome: { table: 'markers', maxAgeMillis: '1d' } }, 'a number of at least 120000 or Infinity, not "1d"'],
    [{ outcome: { table: 'markers', maxAgeMillis: NaN } }, 'a number of at least 120000 or Infinity, not NaN'],
    [{ outcome: { table: 'markers', maxAgeMillis: 119_999 } }, 'a number of at least 120000 or Infinity, not 119999'],
    [
      { outcome: { table: 'markers', maxAgeMillis: 9999 }, failoverTimeoutMillis: 5000 },
      'a number of at least 10000 or Infinity, not 9999: twice the longest time for which callers are held',
    ],
    [{ authority: null }, 'authority must be an object with a name and a function leader, not null'],
    [{ authority: { name: 'dcs' } }, 'authority must be an object with a name and a function leader'],
    [{ authority: { name: '', leader: async () => undefined } }, 'authority must be an object with a name'],
    [{ monitor: { timeoutMillis: '1s' } }, 'monitor.timeoutMillis must be a number of at least 1, not "1s"'],
  ])('refuses %j and says why', (given, message) => {
    const read = (): unknown => readSettings(given, undefined)
    expect(read).toThrow(ConnInfoError)
    expect(read).toThrow(message)
  })
})
