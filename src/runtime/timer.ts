import { now } from './clock'

/** How late a timer may fire before we suspect this process, not the other side, of having been asleep. */
export const lateMillis = 50

/** After a timer so late that the process was blocked: how long the sockets are given to be read, and others to be asked. */
export const graceMillis = 250

/** A timer that was started; `cancel` is harmless after it has fired. */
export interface Timer {
  cancel(): void
}

export interface TimerOptions {
  /** Whether the timer keeps the process alive. Default: it does not. */
  readonly ref?: boolean
}

/** Calls back once after `millis`. */
export function after(millis: number, callback: () => void, options: TimerOptions = {}): Timer {
  const handle = setTimeout(callback, clamp(millis))
  if (options.ref !== true) handle.unref()
  return { cancel: () => clearTimeout(handle) }
}

/** Resolves after `millis`. Somebody waits for it: it keeps the process alive. */
export function sleep(millis: number): Promise<void> {
  return new Promise((resolve) => void after(millis, resolve, { ref: true }))
}

/**
 * A time limit on somebody else's answer. A timer that fires late proves that this process was blocked: the answer may
 * lie unread in the socket, so the verdict is put off by another full period, in which the socket is read first.
 */
export function limit(millis: number, expired: () => void, options: TimerOptions = {}): Timer {
  let current: Timer
  const arm = (): void => {
    const due = now() + millis
    current = after(millis, () => (now() - due > lateMillis ? arm() : expired()), options)
  }
  arm()
  return { cancel: () => current.cancel() }
}

/** `setTimeout` turns what does not fit into 31 bits into 1 ms. */
function clamp(millis: number): number {
  return Math.min(Math.max(0, millis), 2 ** 31 - 1)
}
