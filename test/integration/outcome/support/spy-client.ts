import pg from 'pg'

/** A client that knows which attempt at a transaction it is used for. */
interface Spy extends pg.Client {
  attempt?: string
}

/** A class of clients that tell which attempts their server acknowledged: those were not looked up. */
export function spyClient(answered: (attempt: string) => void): typeof pg.Client {
  return class SpyClient extends pg.Client {
    override query(...args: unknown[]): never {
      const { attempt } = this as Spy
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
