import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { limit } from '../runtime/timer'
import type { ResolvedHost } from './conninfo/follow-options'

/** Every address of a name, in the order the operating system gives them. */
export type Lookup = (name: string) => Promise<readonly string[]>

/** The lookup of Node, which asks the operating system: hosts file, search list and all. */
export const systemLookup: Lookup = async (name) =>
  (await lookup(name, { all: true, order: 'verbatim' })).map(({ address }) => address)

/**
 * The numeric addresses to dial for a host. Empty where there is nothing to choose: a socket, a literal address, or a
 * name with one address only, which pg gets as the name it is.
 *
 * @throws the lookup's own error, or one with the code `ETIMEDOUT`.
 */
export async function addressesOf(host: ResolvedHost, timeoutMillis: number, find: Lookup): Promise<readonly string[]> {
  if (host.hostaddr !== undefined || host.host.startsWith('/') || isIP(host.host) !== 0) return []
  const found = await inTime(find(host.host), timeoutMillis, host.host)
  const addresses = [...new Set(found)]
  return addresses.length > 1 ? addresses : []
}

function inTime<T>(answer: Promise<T>, millis: number, name: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = limit(millis, () => {
      const message = `the name ${name} was not resolved within ${String(millis)} ms`
      reject(Object.assign(new Error(message), { code: 'ETIMEDOUT' }))
    })
    answer.then(resolve, reject).finally(() => timer.cancel())
  })
}
