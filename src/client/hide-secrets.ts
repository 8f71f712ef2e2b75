import { inspect } from 'node:util'
import type { Client } from 'pg'
import { redactOptions } from '../core/conninfo/redact-options'

/** Has an object printed, by `util.inspect` and by `JSON.stringify`, as what `view` makes of it. Nothing else of it changes. */
function printAs<T extends object>(target: T, view: (self: T) => object): void {
  for (const name of [inspect.custom, 'toJSON'] as const) {
    const value = function (this: T): object {
      return view(this)
    }
    Object.defineProperty(target, name, { value, writable: true, configurable: true })
  }
}

/** Whoever logs a pool logs its options: its connection string, and what single hosts have of their own. */
export function hideOptions(options: object): void {
  printAs(options, redactOptions)
}

/**
 * pg-pool hangs the client on the error of its `error` event. There it stays, but it is not printed: Node prints an error that
 * nobody catches five levels deep and asks nobody how.
 */
export function hideClientOf(error: Error): void {
  if (Object.hasOwn(error, 'client')) Reflect.defineProperty(error, 'client', { enumerable: false })
}

/** Of a client nobody has to see more than where it leads: it holds the statement that it runs, its values, and the key of its TLS. */
export function hideClient(prototype: object): void {
  printAs(prototype, (client) => {
    const { user, database, host, port, processID } = client as Client & { readonly processID?: number | null }
    return Object.defineProperty({ user, database, host, port, processID }, Symbol.toStringTag, { value: 'Client' })
  })
}
