import { abortReason, badSignal } from './checkout-errors'
import type { Call } from './ticket'

type Callback = (error: unknown, result?: unknown) => void
type None = (() => void) | undefined

/**
 * Makes an attempt of a call that its caller may abort as long as nothing has been sent: then that is his answer, at once, and what
 * else becomes of the attempt is told to nobody. What has been sent is waited for. `none`: what is called instead of `callback`
 * if there is no host.
 */
export function heedSignal(
  call: Call,
  callback: Callback,
  none: None,
  attempt: (callback: Callback, none: None) => void,
): void {
  const { signal } = call
  if (signal === undefined) return attempt(callback, none)
  if (typeof signal.addEventListener !== 'function') return callback(badSignal(signal))
  if (signal.aborted) return callback(abortReason(signal))
  let told = false
  const once = (tell: () => void): void => {
    if (told) return
    told = true
    signal.removeEventListener('abort', aborted)
    tell()
  }
  const aborted = (): void => {
    if (call.session === undefined) once(() => callback(abortReason(signal)))
  }
  signal.addEventListener('abort', aborted, { once: true })
  attempt((error, result) => once(() => callback(error, result)), none && (() => once(none)))
}
