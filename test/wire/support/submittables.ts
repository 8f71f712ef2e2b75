import type pg from 'pg'

/** The part of pg's Connection that a COPY stream uses. */
interface CopyConnection {
  query(text: string): void
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
  once(event: 'replicationStart', listener: () => void): void
}

/**
 * A statement object as pg-copy-streams makes them: it has the connection to itself from `submit` to ReadyForQuery. Sends
 * `chunks` when it is asked for data, collects what it is sent, and calls back once.
 */
export class Copy implements pg.Submittable {
  readonly #text: string
  readonly #chunks: readonly string[]
  readonly #received: string[] = []
  readonly #done: (error: unknown, result?: unknown) => void

  constructor(text: string, chunks: readonly string[], done: (error: unknown, result?: unknown) => void) {
    this.#text = text
    this.#chunks = chunks
    this.#done = done
  }

  submit(connection: pg.Connection): void {
    const copying = connection as unknown as CopyConnection
    // CopyBothResponse, which pg calls by its use.
    copying.once('replicationStart', () => this.handleCopyInResponse(copying))
    copying.query(this.#text)
  }

  handleCopyInResponse(connection: CopyConnection): void {
    for (const chunk of this.#chunks) connection.sendCopyFromChunk(Buffer.from(chunk))
    connection.endCopyFrom()
  }

  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    this.#received.push(String(chunk).trim())
  }

  handleCommandComplete(): void {
    // The tag is not looked at.
  }

  handleReadyForQuery(): void {
    this.#done(undefined, { command: 'COPY', rowCount: this.#received.length })
  }

  handleError(error: unknown): void {
    this.#done(error)
  }
}
