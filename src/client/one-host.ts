/** Marks a configuration whose host has been chosen: our Client, given it, does not look for another one. */
const chosen = Symbol('pg-leader.oneHost')

/** Marks it. */
export function boundToOneHost<T extends object>(options: T): T {
  return Object.defineProperty(options, chosen, { value: true })
}

/** Whether it is marked. */
export function isBoundToOneHost(options: unknown): boolean {
  return typeof options === 'object' && options !== null && chosen in options
}
