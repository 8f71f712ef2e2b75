type Callback = (error: unknown) => void

/** What of an argument of pg's `client.query` says how its caller is answered. */
interface Given {
  callback?: unknown
  readonly submit?: unknown
  handleError?(error: Error): void
}

/** Answers pg's `client.query` with an error in the form that its caller used: a promise, a callback, or an object that is told. */
export function refuse(error: Error, args: readonly unknown[], Chosen: PromiseConstructor = Promise): unknown {
  const given = (typeof args[0] === 'object' && args[0] !== null ? args[0] : {}) as Given
  const callback = args.find((arg): arg is Callback => typeof arg === 'function')
  if (typeof given.submit === 'function') {
    given.callback ??= callback
    process.nextTick(() => given.handleError?.(error))
    return given
  }
  const told = callback ?? (given.callback as Callback | undefined)
  if (told === undefined) return Chosen.reject(error)
  process.nextTick(told, error)
  return undefined
}
