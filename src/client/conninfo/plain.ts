import type { ClientConfig } from 'pg'

import type { ConnInfoParameters } from '../../core/conninfo/keywords'
import type { PgString } from '../../core/conninfo/pg-string'
import type { FollowOptions, ResolvedHost } from './follow-options'
import type { GivenOptions } from './given-options'
import { keyOf } from './host-list'
import { plainReader } from './weight-and-tags'

/**
 * One host and nothing of ours: pg gets the options unread, and what is wrong with them fails exactly as in pg. The host
 * told here is for humans only; it is what pg would dial, as far as one can tell.
 */
export function resolvePlain(given: GivenOptions, seen: PgString, environment: ConnInfoParameters): FollowOptions {
  const named = [seen.host, given['host'], environment.host].find((value) => typeof value === 'string' && value !== '')
  const port = [seen.port, given['port'], environment.port].find((value) => value !== undefined && value !== '')
  const host = typeof named === 'string' ? named : 'localhost'
  const number = numberOf(port)
  const dialled = Number.isInteger(number) && number > 0 && number < 65536 ? number : 5432
  const timeout = numberOf(given['connectionTimeoutMillis'])
  return Object.freeze({
    hosts: Object.freeze([
      Object.freeze({ key: keyOf(host, dialled), host, hostaddr: undefined, port: dialled, ...plainReader }),
    ]),
    targetSessionAttrs: 'any',
    loadBalanceHosts: 'disable',
    connectTimeoutMillis: timeout > 0 ? timeout : undefined,
    plain: true,
    clientOptions: () => given as ClientConfig,
    relist: (_entries: readonly unknown[], known: readonly ResolvedHost[]) => known,
  })
}

/** What has no number is pg's to judge, and to complain of. */
function numberOf(value: unknown): number {
  return typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN
}
