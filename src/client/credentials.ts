import type { Client } from 'pg'
import type { FollowOptions } from './conninfo/follow-options'

/**
 * Whether the hosts are not all asked with the same user and password, so that what one of them refuses another may
 * accept. A password function that takes pg's connection parameters (pg ≥ 8.19) may answer differently for each host.
 *
 * pg reads them from a connection string, from options or from the environment: so it is asked, by clients that never
 * connect.
 */
export function credentialsDiffer({ hosts, clientOptions }: FollowOptions, Base: typeof Client): boolean {
  if (hosts.length < 2) return false
  const seen = hosts.map((host): readonly unknown[] => {
    const { user, password } = new Base(clientOptions(host))
    return [user, password]
  })
  return seen.some(
    ([user, password]) =>
      user !== seen[0]?.[0] || password !== seen[0]?.[1] || (typeof password === 'function' && password.length > 0),
  )
}
