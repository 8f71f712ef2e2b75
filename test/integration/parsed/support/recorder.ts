import pg from 'pg'

/** Where what was sent by clients of a pool, in order. */
export const sent: { readonly port: number; readonly text: unknown }[] = []

/** A client that writes down what it sends: for a pool's option `Client`. */
export class Recorder extends pg.Client {
  override query(...given: unknown[]): never {
    const [query] = given
    const text: unknown = typeof query === 'object' && query !== null ? (query as { text?: unknown }).text : query
    sent.push({ port: this.port, text })
    return (super.query as (...given: unknown[]) => never).apply(this, given)
  }
}
