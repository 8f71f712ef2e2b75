import fc from 'fast-check'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { Client, isConnInfoError, isPgLeaderError, parseConnInfo, Pool, wrap } from '../../../src/index'
import type { PoolConfig, WrapOptions } from '../../../src/index'

const secret = 'hunter2-is-secret'
/** Nobody listens there. */
const base = { hosts: [{ host: '127.0.0.1', port: 1 }], user: 'u', password: secret, failoverTimeoutMillis: 10 }

const anything = fc.oneof(
  fc.anything({
    withBigInt: true,
    withDate: true,
    withNullPrototype: true,
    withSparseArray: true,
    withTypedArray: true,
  }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(Symbol('s'), () => 1, NaN, -1, Infinity, '', 'db1,db2', '5432,', null),
)

/** What was thrown is a clear error of ours that names what is wrong; nothing thrown is fine as well. */
function clearOrNothing(act: () => unknown, ...names: readonly string[]): void {
  try {
    act()
  } catch (error) {
    expect(isConnInfoError(error), String(error)).toBe(true)
    const { message } = error as Error
    expect(message).not.toContain(secret)
    expect(message.length).toBeLessThan(400)
    expect(names.length === 0 || names.some((name) => message.includes(name)), message).toBe(true)
  }
}

const poolOf = (config: unknown): Pool => new Pool(config as PoolConfig)
const clientOf = (config: unknown): Client => new Client(config as string)

const options = [
  'hosts',
  'host',
  'port',
  'hostaddr',
  'connectionString',
  'targetSessionAttrs',
  'loadBalanceHosts',
  'failoverTimeoutMillis',
  'maxWaiting',
  'monitor',
  'aliveCheckMillis',
  'authority',
  'discovery',
  'connectionTimeoutMillis',
  'user',
  'password',
  'database',
  'ssl',
  'application_name',
  'options',
  'sslnegotiation',
  'replication',
  'Client',
]

describe('whatever an option is, the error names it', () => {
  it.each(options)('%s', (name) => {
    fc.assert(
      fc.property(anything, (value) => {
        // An option that is out of place is named as libpq names it, or as the entry of the list that it makes.
        const names = [name, name === 'host' ? 'port' : name, name === 'port' ? 'hosts[0].port' : name]
        clearOrNothing(() => poolOf({ ...base, [name]: value }), ...names)
        clearOrNothing(() => clientOf({ ...base, [name]: value }), ...names)
      }),
    )
  })

  it.each(['host', 'hostaddr', 'port', 'user', 'password', 'ssl', 'weight', 'tags'])('hosts[0].%s', (name) => {
    fc.assert(
      fc.property(anything, (value) => {
        const config = { ...base, hosts: [{ host: 'db1', [name]: value }] }
        clearOrNothing(() => poolOf(config), 'hosts[0]')
        clearOrNothing(() => clientOf(config), 'hosts[0]')
      }),
    )
  })

  it.each(['intervalMillis', 'leaderlessIntervalMillis', 'timeoutMillis'])('monitor.%s', (name) => {
    fc.assert(
      fc.property(anything, (value) => {
        clearOrNothing(() => poolOf({ ...base, monitor: { [name]: value } }), `monitor.${name}`)
      }),
    )
  })

  it('wrap, and what is wrapped', () => {
    fc.assert(
      fc.property(anything, (value) => {
        clearOrNothing(() => wrap(value as pg.Pool, base), 'wrap')
        clearOrNothing(() => wrap(new pg.Pool(), value as WrapOptions))
        clearOrNothing(() => wrap(new pg.Pool(), { ...base, hosts: value } as WrapOptions), 'hosts', 'wrap')
      }),
    )
  })
})

describe('connection strings', () => {
  const part = fc.oneof(
    fc.constantFrom(
      '@',
      ':',
      '/',
      '?',
      '&',
      '=',
      ',',
      '%',
      '[',
      ']',
      "'",
      '\\',
      ' ',
      'host',
      'port=0',
      'a',
      '%00',
      '%ff',
    ),
    fc.string({ unit: 'binary', maxLength: 5 }),
  )
  const text = fc
    .tuple(fc.constantFrom('postgres://', 'postgresql://', '', 'host=', 'x://'), fc.array(part, { maxLength: 12 }))
    .map(([begin, parts]) => begin + parts.join(''))

  it('whatever they are, nothing of them is quoted where a password may stand', () => {
    fc.assert(
      fc.property(text, (before) => {
        for (const string of [
          before,
          `postgres://u:${secret}@${before}/d`,
          `host=a,b password='${secret}${before}`,
          `${before}&password=${secret}`,
        ]) {
          clearOrNothing(() => parseConnInfo(string))
          clearOrNothing(() => clientOf({ ...base, hosts: undefined, host: 'a,b', connectionString: string }))
          clearOrNothing(() => poolOf({ ...base, hosts: undefined, host: 'a,b', connectionString: string }))
        }
      }),
      { numRuns: 100 },
    )
  })

  it('a string in place of options is refused without being quoted', () => {
    const text = `postgres://u:${secret}@db1,db2/d`
    expect(() => poolOf(text)).toThrow(TypeError)
    expect(() => poolOf(text)).not.toThrow(secret)
  })
})

describe('whatever is asked of a pool, somebody is told, and soon', () => {
  const settled = async (act: () => unknown): Promise<void> => {
    const outcome: unknown = await Promise.resolve()
      .then(act)
      .then(
        () => undefined,
        (error: unknown) => error,
      )
    if (outcome !== undefined) expect(isPgLeaderError(outcome), (outcome as Error).message).toBe(true)
  }

  it('queries and their marks', async () => {
    const pool = poolOf(base)
    const query = pool.query.bind(pool) as (text: unknown, values?: unknown) => Promise<unknown>
    await fc.assert(
      fc.asyncProperty(
        anything.filter((value) => typeof value !== 'function'),
        async (value) => {
          await Promise.all([
            settled(() => query(value)),
            settled(() => query('select 1', value)),
            settled(() => query({ text: value })),
            settled(() => query({ text: 'select 1', values: value })),
            settled(() => query({ text: 'select 1', signal: value })),
            settled(() => query({ text: 'select 1', idempotent: value, readOnly: value })),
          ])
        },
      ),
      { numRuns: 50 },
    )
    expect(pool.waitingCount).toBe(0)
    await expect(query({ text: 'select 1', signal: 'now' })).rejects.toThrow(/^signal: must be an AbortSignal/)
    await pool.end()
  })

  it('pauses', async () => {
    const pool = poolOf(base)
    await fc.assert(
      fc.asyncProperty(anything, async (value) => {
        for (const given of [value, { timeoutMillis: value }, { ignore: value }]) {
          await settled(() => pool.pause(given as Parameters<Pool['pause']>[0]))
          pool.resume()
        }
      }),
    )
    await pool.end()
  })
})

describe('absurd lists of hosts', () => {
  const forms: Readonly<Record<string, (hosts: readonly string[]) => object>> = {
    hosts: (hosts) => ({ hosts: hosts.map((host) => ({ host })) }),
    host: (hosts) => ({ host: hosts.join(',') }),
    URI: (hosts) => ({ connectionString: `postgres://u:${secret}@${hosts.join(',')}/d` }),
    'keyword = value': (hosts) => ({ connectionString: `host='${hosts.join(',')}' password=${secret}` }),
  }
  const list = (length: number): string[] => Array.from({ length }, (_, index) => `db${index}`)

  it.each(Object.entries(forms))('%s', async (_, form) => {
    for (const make of [poolOf, clientOf]) {
      expect(() => make(form(list(10_000)))).toThrow(/^hosts?: lists 10000 hosts, and 1000 is the most/)
      expect(() => make(form(['db1', 'db\n2']))).toThrow(/: holds a control character/)
      expect(() => make(form(['db1', 'db\u009b2']))).toThrow(/: holds a control character/)
      expect(() => make(form(['d\u00fcsseldorf', '\u6570\u636e\u5e93']))).not.toThrow()
    }
    const many = poolOf(form(list(1000)))
    expect(many.topology.hosts).toHaveLength(1000)
    await many.end()
    const same = poolOf(form(list(1000).fill('db1')))
    expect(new Set(same.topology.hosts.map(({ host }) => host)).size).toBe(1000)
    await same.end()
  })

  it.each([0, 65536, -1, 1.5, NaN, '0', '65536', '5432 5433', 'x'])('port %s', (port) => {
    for (const make of [poolOf, clientOf]) {
      const told = /port(?: of entry 1)?: must be a whole number from 1 to 65535/
      expect(() => make({ hosts: [{ host: 'db1', port }] })).toThrow(told)
      expect(() => make({ host: 'db1,db2', port })).toThrow(told)
    }
  })

  it('entries that name nothing', () => {
    for (const make of [poolOf, clientOf]) {
      expect(() => make({ hosts: [] })).toThrow('hosts: is empty')
      expect(() => make({ hosts: [{}] })).toThrow('hosts[0]: names no host')
      expect(() => make({ hosts: [{ host: '' }] })).toThrow('hosts[0]: names no host')
      expect(() => make({ hosts: [, { host: 'db1' }] })).toThrow('hosts[0]: must be an object')
    }
  })
})
