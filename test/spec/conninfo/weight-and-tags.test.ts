import { expect, it } from 'vitest'
import { resolveOptions } from '../../../src/client/conninfo/resolve-options'
import { ConnInfoError } from '../../../src/errors'
import cases from './weight-and-tags.json'

const surroundings = { env: {}, windows: false, home: '/home/me', userName: 'me', readFile: () => undefined }

it.each(cases)('$name', ({ options, hosts, refused }) => {
  const resolve = (): string[] =>
    resolveOptions(options, surroundings).hosts.map(
      ({ key, weight, tags }) => `${key} ${weight} ${JSON.stringify(tags)}`,
    )
  if (refused === undefined) return expect(resolve()).toEqual(hosts)
  expect(resolve).toThrow(ConnInfoError)
  expect(resolve).toThrow(refused)
})

it('pg is told nothing of them', () => {
  const [plain, told] = [{}, { weight: 2, tags: { zone: 'z1' } }].map((more) => {
    const follow = resolveOptions({ hosts: [{ host: 'a', ...more }], user: 'me' }, surroundings)
    return follow.clientOptions(follow.hosts[0]!)
  })
  expect(told).toEqual(plain)
})
