import { describe, expect, it } from 'vitest'
import { resolveOptions } from '../../../src/client/conninfo/resolve-options'
import type { FollowOptions } from '../../../src/client/conninfo/follow-options'
import { ConnInfoError } from '../../../src/errors'

const follow = (options: object): FollowOptions => resolveOptions({ user: 'app', ...options })

const { hosts, relist } = follow({ host: 'db1,db2', port: '6000' })
const keys = (entries: readonly unknown[], known = hosts): readonly string[] =>
  relist(entries, known).map(({ key }) => key)

describe('a list of hosts that somebody else keeps', () => {
  it('leaves those that are known their keys', () => {
    const entries = [{ host: 'db2', port: 6000 }, { host: 'db3' }, { host: 'db1' }]
    expect(keys(entries)).toEqual(['db2:6000', 'db3:6000', 'db1:6000'])
  })

  it('takes the same host for one, however often it is named', () => {
    const entries = [{ host: 'db1' }, { host: 'db1', port: '6000', weight: 3 }, { host: 'db4' }, { host: 'db4' }]
    expect(keys(entries)).toEqual(['db1:6000', 'db4:6000'])
  })

  it('gives another address another key, whatever its order, and keeps that', () => {
    const first = relist([{ host: 'db1', hostaddr: '10.0.0.1' }], hosts)
    expect(first.map(({ key }) => key)).toEqual(['db1:6000(10.0.0.1)'])
    const [one, two] = ['10.0.0.1', '10.0.0.2'].map((hostaddr) => ({ host: 'db1', hostaddr }))
    const second = relist([two, one], [...hosts, ...first])
    expect(second.map(({ key }) => key)).toEqual(['db1:6000(10.0.0.2)', 'db1:6000(10.0.0.1)'])
    expect(keys([one, two], second)).toEqual(['db1:6000(10.0.0.1)', 'db1:6000(10.0.0.2)'])
  })

  it('takes weight and tags as they are now', () => {
    const [known] = relist([{ host: 'db1', weight: 2, tags: { zone: 'a' } }], hosts)
    expect(known).toMatchObject({ key: 'db1:6000', weight: 2, tags: { zone: 'a' } })
    expect(relist([{ host: 'db1' }], [known!])).toMatchObject([{ key: 'db1:6000', weight: 1, tags: {} }])
  })

  it.each([
    [[7], 'hosts[0]: must be an object { host, port }, not a number'],
    [[{ host: 'db1' }, {}], 'hosts[1]: names no host; give host, or hostaddr, or both'],
    [[{ host: 'db1', port: 0 }], 'hosts[0].port: must be a whole number from 1 to 65535, not 0'],
    [[{ host: 'db1', weight: -1 }], 'hosts[0].weight: must be 0, or a number from 0.001 to 1000000, not -1'],
    [[{ host: 'db1', tags: { zone: 1 } }], 'hosts[0].tags: the tag "zone" must be a string, not 1'],
    [Array(1001).fill({ host: 'db1' }), 'hosts: lists 1001 hosts'],
  ])('with what cannot be used in it is refused', (entries, why) => {
    expect(() => relist(entries, hosts)).toThrow(ConnInfoError)
    expect(() => relist(entries, hosts)).toThrow(why)
  })

  it('has to honour what was asked for all hosts', () => {
    const bound = follow({ connectionString: 'postgres://app@db1,db2/?channel_binding=require&sslmode=verify-full' })
    expect(bound.relist([{ host: 'db3' }], bound.hosts)).toHaveLength(1)
    expect(() => bound.relist([{ host: '/tmp' }], bound.hosts)).toThrow('channel_binding=require cannot be honoured')
  })

  it('makes read-write the default, also for one host', () => {
    expect(follow({ host: 'db1', discovery: [] }).targetSessionAttrs).toBe('read-write')
    expect(follow({ host: 'db1', maxWaiting: 1 }).targetSessionAttrs).toBe('any')
    expect(follow({ host: 'db1', discovery: [], targetSessionAttrs: 'any' }).targetSessionAttrs).toBe('any')
  })
})
