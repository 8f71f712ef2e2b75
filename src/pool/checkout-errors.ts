import { someOf } from '../core/selection/some-of'
import { ConnInfoError, HostSelectionTimeoutError, WaitQueueFullError } from '../errors'
import type { CheckoutPort } from './checkout-port'
import { holdLimitName } from './deadlines'

/** What pg-pool says to a request of its queue whose time is up; ours say the same. */
export const waitTimeout = 'timeout exceeded when trying to connect'
/** What pg-pool says when the time was up while it was connecting. */
export const dialTimeout = 'Connection terminated due to connection timeout'
/** What pg-pool says to whoever comes after the end, or still waits then. */
export const afterEnd = 'Cannot use a pool after calling end on the pool'

type HoldPort = Pick<CheckoutPort, 'limits' | 'explain' | 'obstacle'>

/** A caller was held until the time was up. */
export function holdExpired(port: HoldPort, waited: number, paused: boolean): HostSelectionTimeoutError {
  const limit = holdLimitName(port.limits)
  const waitedMillis = Math.round(waited)
  const hosts = paused ? [] : port.explain()
  const why = paused
    ? 'the pool is paused; call resume()'
    : `no suitable host: ${someOf(hosts.map(({ host, reason }) => `${host} ${reason}`))}`
  const message = `timeout exceeded after ${waitedMillis} ms (${limit}) without a client: ${why}`
  return new HostSelectionTimeoutError(message, {
    limit,
    waitedMillis,
    hosts,
    cause: paused ? undefined : port.obstacle(),
  })
}

/** There was a host to go to all the time, and it would not have us. */
export function dialsFailed(port: HoldPort, waited: number, cause: Error): HostSelectionTimeoutError {
  const limit = holdLimitName(port.limits)
  const waitedMillis = Math.round(waited)
  const message = `timeout exceeded after ${waitedMillis} ms (${limit}) without a client: ${cause.message}`
  return new HostSelectionTimeoutError(message, { limit, waitedMillis, hosts: port.explain(), cause })
}

/** What was given as a signal is none. */
export function badSignal(signal: unknown): ConnInfoError {
  return new ConnInfoError(`signal: must be an AbortSignal, not ${typeof signal}`)
}

/** As many callers are held already as may be. */
export function queueFull(port: HoldPort & Pick<CheckoutPort, 'maxWaiting'>): WaitQueueFullError {
  return new WaitQueueFullError(
    `${port.maxWaiting} callers wait for a host already (maxWaiting): this one was refused at once. ` +
      port
        .explain()
        .map(({ host, reason }) => `${host} ${reason}`)
        .join('; '),
    { cause: port.obstacle() },
  )
}

/** The error of a caller whose signal was aborted: the signal's own reason, if that is an error. */
export function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason
  return reason instanceof Error ? reason : new DOMException('The operation was aborted', 'AbortError')
}
