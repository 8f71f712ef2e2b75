import type { Socket } from 'node:net'
import pg from 'pg'
import { eachMessage } from '../each-message'

/** Where a pooler's sessions go, and as whom. */
export interface Destination {
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

/** Who is lent a session, as far as that session has to know. */
export interface Borrower {
  /** A message of the server's. */
  hear(message: Buffer): void
  /** The session has ended under its hands. */
  bereave(): void
}

/** A session of the pooler's own on a server, lent to one client after another. */
export class ServerSession {
  readonly port: number
  /** What the server said of its parameters when it let us in. */
  readonly parameters: ReadonlyMap<string, string>
  readonly #socket: Socket
  #borrower: Borrower | undefined
  #ended = false

  private constructor(port: number, parameters: ReadonlyMap<string, string>, socket: Socket, ended: () => void) {
    this.port = port
    this.parameters = parameters
    this.#socket = socket
    socket.on(
      'data',
      eachMessage((message) => this.#borrower?.hear(message)),
    )
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#ended = true
      ended()
      this.#borrower?.bereave()
    })
    socket.resume()
  }

  /** Signs in; `ended` is called when the session is over, whoever ended it. */
  static async open(destination: Destination, ended: () => void): Promise<ServerSession> {
    const client = new pg.Client({ ...destination, host: '127.0.0.1', ssl: false })
    const { connection } = client as unknown as { connection: pg.Connection & { stream: Socket } }
    const parameters = new Map<string, string>()
    connection.on('parameterStatus', (told: { parameterName: string; parameterValue: string }) => {
      parameters.set(told.parameterName, told.parameterValue)
    })
    client.on('error', () => undefined)
    await client.connect()
    // pg has signed in for us; from here on the messages are the clients'.
    const { stream } = connection
    stream.removeAllListeners()
    return new ServerSession(destination.port, parameters, stream, ended)
  }

  get ended(): boolean {
    return this.#ended
  }

  lend(borrower: Borrower | undefined): void {
    this.#borrower = borrower
  }

  send(message: Buffer): void {
    this.#socket.write(message)
  }

  end(): void {
    this.#socket.destroy()
  }
}
