/** Whose a failed attempt is: it would fail at every host alike, or says nothing of the others. */
export type Fault = 'caller' | 'host'

const fault = Symbol('pg-leader.fault')

/**
 * Notes on an error whose fault it is, where that was known when it was raised and cannot be told by its code: what a
 * password function throws may be the `ECONNREFUSED` of a vault. Hidden; does nothing to an error that is frozen.
 */
export function putFault<T extends object>(error: T, whose: Fault): T {
  Reflect.defineProperty(error, fault, { value: whose, configurable: true })
  return error
}

/** What was noted on it, if anything was. */
export function faultOf(error: object): Fault | undefined {
  return (error as { readonly [fault]?: Fault })[fault]
}
