import { recapture, runQuery, runQueryPromise } from '../execution/run-query'
import type { QueryCallback, QueryPort } from '../execution/run-query'

/** The callback among what pg's `query` was given, if it has one. */
export function callbackOf(values: unknown, callback: unknown): QueryCallback | undefined {
  return (typeof values === 'function' ? values : callback) as QueryCallback | undefined
}

/** The values among it. */
export function valuesOf(values: unknown): unknown {
  return typeof values === 'function' ? undefined : values
}

/** Gives an answer in the form that its caller used: by callback, or by a promise of the kind that the application wants. */
export function answerBy(
  Chosen: PromiseConstructor,
  answered: Promise<unknown>,
  told: QueryCallback | undefined,
): unknown {
  if (told === undefined) return Chosen === Promise ? answered : Chosen.resolve(answered)
  // A user's callback runs outside of the promise: what it throws is not ours to swallow.
  void answered.then(
    (result) => process.nextTick(told, undefined, result),
    (error: unknown) => process.nextTick(told, error),
  )
  return undefined
}

/**
 * Runs a statement by this port and answers in the form that its caller used: by callback, or by a promise of the kind that the
 * application wants. An error in place of the port is the answer.
 */
export function queryBy(
  port: QueryPort | Error,
  Chosen: PromiseConstructor,
  text: unknown,
  values: unknown,
  callback: unknown,
): unknown {
  const told = callbackOf(values, callback)
  const given = valuesOf(values)
  if (port instanceof Error) {
    if (told === undefined) return Chosen.reject(port)
    process.nextTick(told, port)
    return undefined
  }
  if (told !== undefined) {
    runQuery(port, text, given, told)
    return undefined
  }
  if (Chosen === Promise) return runQueryPromise(port, text, given)
  return new Chosen((resolve, reject: (error: unknown) => void) => {
    runQuery(port, text, given, (error, result) => (error ? reject(error) : resolve(result)))
  }).catch(recapture)
}
