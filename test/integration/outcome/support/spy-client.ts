import pg from 'pg'

/** A client that knows which attempt at a transaction it is used for. */
interface Spy extends pg.Client {
  attempt?: string
}

/** What pg's client is given of a statement that is executed exactly once. */
interface SentQuery {
  readonly text: string
  readonly values: readonly unknown[]
  readonly submit?: unknown
  callback(error: unknown, result: unknown): void
}

/**
 * A class of clients that tell which attempts their server acknowledged: those were not looked up. `once`: the text of a
 * statement that is executed exactly once, and whose first value names the attempt.
 */
export function spyClient(answered: (attempt: string) => void, once?: string): typeof pg.Client {
  return class SpyClient extends pg.Client {
    override query(...args: unknown[]): never {
      const { attempt } = this as Spy
      const sent = args[0] as SentQuery
      const isOnce = once !== undefined && sent.text === once && sent.submit !== undefined
      // A COMMIT that carries something is no text any more when it comes here.
      const isCommit = attempt !== undefined && sent.text === 'commit' && sent.submit !== undefined
      if (isOnce || isCommit) {
        const { callback } = sent
        sent.callback = (error, answer) => {
          if (!error) answered(isOnce ? String(sent.values[0]) : String(attempt))
          callback(error, answer)
        }
      }
      const result: unknown = Reflect.apply(super.query, this, args)
      if (args[0] === 'commit' && attempt !== undefined) {
        ;(result as Promise<unknown>).then(
          () => answered(attempt),
          () => undefined,
        )
      }
      return result as never
    }
  }
}

/** What is committed on this client from now on is this attempt. */
export function nameAttempt(client: pg.PoolClient, attempt: string): void {
  ;(client as Spy).attempt = attempt
}
