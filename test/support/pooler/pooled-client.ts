import type { Socket } from 'node:net'
import { authenticationOk, backendKeyData, cstring, message, parameterStatus, readyForQuery } from '../backend'
import { eachMessage } from '../each-message'
import type { Borrower, ServerSession } from './server-session'

/** Who lends sessions. */
export interface Lender {
  /** Resolves with a session for one transaction; rejects when no server lets us in. */
  borrow(): Promise<ServerSession>
  /** `clean`: its transaction is over, so that somebody else may have it. */
  giveBack(session: ServerSession, clean: boolean): void
  /** What a new client is told of its server. */
  greeting(): Promise<ReadonlyMap<string, string>>
  /** A transaction with these statements is over; whether its client is not to hear of it. */
  loses(statements: string): boolean
}

const sslRequest = 80877103
const gssRequest = 80877104
const cancelRequest = 80877102

/** With these a client asks for a ReadyForQuery: Query, Sync, FunctionCall. */
const asksForReady = new Set(['Q', 'S', 'F'])

/** A client of the pooler: it holds a session from the first message of a transaction to its end. */
export class PooledClient implements Borrower {
  readonly #socket: Socket
  readonly #lender: Lender
  readonly #pid: number
  readonly #take = eachMessage((each) => this.#said(each))
  #isIn = false
  #session: ServerSession | undefined
  #isBorrowing = false
  /** What was said before there was a session to say it to. */
  #unsaid: Buffer[] = []
  /** How many ReadyForQuery are still to come, and whether one has to be asked for. */
  #expected = 0
  #isOpen = false
  /** The texts since the session was borrowed. */
  #statements: string[] = []

  constructor(socket: Socket, lender: Lender, pid: number) {
    this.#socket = socket
    this.#lender = lender
    this.#pid = pid
    socket.setNoDelay(true)
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => (this.#isIn ? this.#take(chunk) : void this.#knock(chunk)))
    socket.on('close', () => this.#leave(false))
  }

  end(): void {
    this.#socket.destroy()
  }

  hear(told: Buffer): void {
    const type = String.fromCharCode(told[0] ?? 0)
    if (type !== 'Z') {
      this.#socket.write(told)
      return
    }
    this.#expected -= 1
    const isOver = told.toString('latin1', 5, 6) === 'I' && this.#expected === 0 && !this.#isOpen
    if (isOver && this.#lender.loses(this.#statements.join('\n'))) {
      this.#leave(false)
      this.#refuse('server conn crashed?')
      return
    }
    if (isOver) this.#leave(true)
    this.#socket.write(told)
  }

  bereave(): void {
    this.#session = undefined
    this.#refuse('server conn crashed?')
  }

  /** A client's first words come each in a packet of its own. */
  async #knock(chunk: Buffer): Promise<void> {
    const code = chunk.readInt32BE(4)
    if (code === sslRequest || code === gssRequest) {
      this.#socket.write('N')
      return
    }
    if (code === cancelRequest) return this.end()
    this.#isIn = true
    try {
      const greeting = [...(await this.#lender.greeting())].map(([name, value]) => parameterStatus(name, value))
      this.#socket.write(Buffer.concat([authenticationOk, ...greeting, backendKeyData(this.#pid), readyForQuery('I')]))
    } catch {
      this.#refuse('pgbouncer cannot connect to server')
    }
  }

  #said(said: Buffer): void {
    const type = String.fromCharCode(said[0] ?? 0)
    if (type === 'X') return this.end()
    if (type === 'Q') this.#statements.push(said.toString('utf8', 5, said.length - 1))
    if (type === 'P') this.#statements.push(said.toString('utf8', 5).split('\0')[1] ?? '')
    this.#isOpen = !asksForReady.has(type)
    if (!this.#isOpen) this.#expected += 1
    if (this.#session !== undefined) this.#session.send(said)
    else {
      this.#unsaid.push(said)
      void this.#borrow()
    }
  }

  async #borrow(): Promise<void> {
    if (this.#isBorrowing) return
    this.#isBorrowing = true
    try {
      const session = await this.#lender.borrow()
      if (this.#socket.destroyed) return this.#lender.giveBack(session, true)
      this.#session = session
      session.lend(this)
      for (const said of this.#unsaid.splice(0)) session.send(said)
    } catch {
      this.#refuse('pgbouncer cannot connect to server')
    } finally {
      this.#isBorrowing = false
    }
  }

  /** Gives the session back; without its transaction's end nobody else can have it. */
  #leave(clean: boolean): void {
    const session = this.#session
    this.#session = undefined
    this.#statements = []
    session?.lend(undefined)
    if (session !== undefined) this.#lender.giveBack(session, clean)
  }

  /** Every trouble of a pooler's own is an 08P01 of severity ERROR, and no routine of a server's has raised it. */
  #refuse(why: string): void {
    const fields = { S: 'ERROR', V: 'ERROR', C: '08P01', M: why }
    const text = Object.entries(fields).map(([name, value]) => cstring(name + value))
    this.#socket.end(message('E', ...text, Buffer.from([0])))
  }
}
