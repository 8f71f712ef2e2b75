import { controlsTransaction } from '../core/retry/statement'
import { TransactionStateError } from '../errors'
import type { PoolClient } from '../pool/session'
import { refuse } from './refuse'
import { textOf } from './text-of'

/** What belongs to whoever runs the transaction, and not to its function. */
const refused: ReadonlySet<string | symbol> = new Set(['release', 'end', 'connect'])

/** The client of one transaction, as its function sees it: good for statements, until the transaction is over. */
export interface TransactionView {
  readonly client: PoolClient
  /** From now on it is refused. */
  close(): void
}

/**
 * A view of a pool's client that lets through whatever pg's client can do, and refuses what would take the transaction out
 * of our hands: to end it, to release or end the client, to use it when all is over.
 */
export function viewOfTransaction(client: PoolClient): TransactionView {
  let open = true
  const query = (...args: unknown[]): unknown => {
    const why = whyNot(open, args[0])
    return why === undefined ? Reflect.apply(client.query, client, args) : refuse(new TransactionStateError(why), args)
  }
  const refusal = (name: string) => (): never => {
    throw new TransactionStateError(
      `client.${name}() inside pool.transaction: the client is released when the transaction is over`,
    )
  }
  const methods = new Map<string | symbol, unknown>([['query', query]])
  const view = new Proxy(client, {
    get(target, name) {
      const known = methods.get(name)
      if (known !== undefined) return known
      if (refused.has(name)) return refusal(String(name))
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function' || name === 'constructor') return value
      // As its own method: what it does to its client it does to the real one.
      const bound = (...args: unknown[]): unknown => {
        const result: unknown = Reflect.apply(value, target, args)
        return result === target ? view : result
      }
      methods.set(name, bound)
      return bound
    },
  })
  return {
    client: view,
    close: () => {
      open = false
    },
  }
}

function whyNot(open: boolean, query: unknown): string | undefined {
  if (!open)
    return 'the transaction of this client is over: use it inside of the function only, and await what is sent there'
  const text = textOf(query)
  if (text !== undefined && controlsTransaction(text)) {
    return 'pool.transaction begins and ends its transaction itself: throw to roll it back, and take a savepoint for a part of it'
  }
  return undefined
}
