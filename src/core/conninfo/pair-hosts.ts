import type { ConnInfoParameters } from './keywords'
import { failure, success } from './result'
import type { Result } from './result'

/** One entry of the host list. What is missing takes its default: the built-in host, port 5432. */
export interface ConnInfoHost {
  /** Name or address, or the directory of a Unix socket; used for TLS and the password file even if `hostaddr` is dialled. */
  readonly host?: string
  /** Numeric address that is dialled instead of looking `host` up. */
  readonly hostaddr?: string
  /** As written; not checked to be a number here, as libpq checks it no earlier than it connects. */
  readonly port?: string
}

/**
 * Pairs the lists of `host`, `hostaddr` and `port` as libpq does: `hostaddr` sets the number of entries if it is given,
 * else `host` does, else there is one; a single port counts for all; an empty element means the default.
 */
export function pairHosts(parameters: ConnInfoParameters): Result<readonly ConnInfoHost[]> {
  const names = elements(parameters.host)
  const addresses = elements(parameters.hostaddr)
  const ports = elements(parameters.port)
  const count = addresses.length || names.length || 1
  if (names.length > 0 && names.length !== count) {
    return failure(
      'pairing',
      `host, hostaddr: could not match ${String(names.length)} host names to ${String(count)} hostaddr values; ` +
        'give as many of the one as of the other',
    )
  }
  if (ports.length > 1 && ports.length !== count) {
    return failure(
      'pairing',
      `port: could not match ${String(ports.length)} port numbers to ${String(count)} hosts; ` +
        'give one port for all hosts or one for each',
    )
  }
  return success(
    Object.freeze(
      Array.from({ length: count }, (_, index) => {
        const port = ports.length === 1 ? ports[0] : ports[index]
        return Object.freeze({
          ...(names[index] && { host: names[index] }),
          ...(addresses[index] && { hostaddr: addresses[index] }),
          ...(port && { port }),
        })
      }),
    ),
  )
}

function elements(list: string | undefined): readonly string[] {
  return list === undefined || list === '' ? [] : list.split(',')
}
