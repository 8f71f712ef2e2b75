import type { FollowOptions } from './conninfo/follow-options'

/**
 * Whether the hosts are not all asked with the same user and password, so that what one of them refuses another may
 * accept. A password function that takes pg's connection parameters (pg ≥ 8.19) may answer differently for each host.
 */
export function credentialsDiffer({ hosts, clientOptions }: Pick<FollowOptions, 'hosts' | 'clientOptions'>): boolean {
  if (hosts.length < 2) return false
  const seen = hosts.map(clientOptions)
  return seen.some(
    ({ user, password }) =>
      user !== seen[0]?.user ||
      password !== seen[0]?.password ||
      (typeof password === 'function' && password.length > 0),
  )
}
