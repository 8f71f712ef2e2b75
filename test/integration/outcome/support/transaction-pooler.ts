import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import pg from 'pg'
import { listen } from '../../../support/listen'

/** A session on the server, which whoever has a transaction is lent. */
interface Upstream {
  readonly stream: pg.Client['connection']['stream']
  lentTo: Caller | undefined
}

interface Caller {
  readonly socket: Socket
  pending: Buffer
  greeted: boolean
  /** Whole messages that wait for a session. */
  queue: Buffer[]
}

/**
 * As much of a pooler in transaction mode as matters here: many clients, few sessions, and nothing that a client has done in one
 * transaction is there in the next, which may run in any session.
 */
export class TransactionPooler {
  readonly #server = createServer((socket) => this.#accept(socket))
  readonly #upstreams: Upstream[] = []
  readonly #waiting: Caller[] = []
  readonly #parameters: Buffer[] = []
  #port = 0
  #losing: string | undefined
  /** How many transactions, or statements of their own, have been served. */
  served = 0

  /** @param config - of the server, as pg takes it; `sessions`: how many there are. */
  static async start(config: pg.ClientConfig, sessions: number): Promise<TransactionPooler> {
    const pooler = new TransactionPooler()
    for (let session = 0; session < sessions; session += 1) await pooler.#addUpstream(config, session === 0)
    pooler.#port = await listen(pooler.#server)
    return pooler
  }

  get port(): number {
    return this.#port
  }

  /** The next client that sends this is lost as soon as the server has it. */
  loseWho(sends: string): void {
    this.#losing = sends
  }

  async close(): Promise<void> {
    for (const { stream } of this.#upstreams) stream.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #addUpstream(config: pg.ClientConfig, isFirst: boolean): Promise<void> {
    const client = new pg.Client(config)
    client.on('error', () => undefined)
    if (isFirst) {
      const tell = (name: string, value: string): unknown => this.#parameters.push(message('S', `${name}\0${value}\0`))
      client.connection.on('parameterStatus', (told: { parameterName: string; parameterValue: string }) =>
        tell(told.parameterName, told.parameterValue),
      )
    }
    await client.connect()
    const stream = client.connection.stream
    stream.removeAllListeners('data')
    const upstream: Upstream = { stream, lentTo: undefined }
    this.#upstreams.push(upstream)
    let pending = Buffer.alloc(0)
    stream.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk])
      pending = eachMessage(pending, (whole) => {
        upstream.lentTo?.socket.write(whole)
        // Ready, and in no transaction.
        if (whole.toString('latin1', 0, 1) === 'Z' && whole[5] === 0x49) this.#takeBack(upstream)
      })
    })
  }

  #accept(socket: Socket): void {
    const caller: Caller = { socket, pending: Buffer.alloc(0), greeted: false, queue: [] }
    socket.setNoDelay(true)
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      caller.pending = Buffer.concat([caller.pending, chunk])
      if (!caller.greeted && !this.#greet(caller)) return
      caller.pending = eachMessage(caller.pending, (whole) => {
        if (whole.toString('latin1', 0, 1) === 'X') socket.end()
        else caller.queue.push(whole)
      })
      this.#serve(caller)
    })
  }

  /** It is let in without being asked who it is. False: it has not said what it wants. */
  #greet(caller: Caller): boolean {
    const { socket, pending } = caller
    if (pending.length < 8 || pending.length < pending.readInt32BE(0)) return false
    caller.pending = pending.subarray(pending.readInt32BE(0))
    caller.greeted = true
    const key = Buffer.concat([number(this.#upstreams.length + 1000), number(1)])
    const ready = [message('R', number(0)), ...this.#parameters, message('K', key), message('Z', 'I')]
    socket.write(Buffer.concat(ready))
    return true
  }

  #serve(caller: Caller): void {
    if (caller.queue.length === 0) return
    const own = this.#upstreams.find(({ lentTo }) => lentTo === caller)
    const upstream = own ?? this.#upstreams.find(({ lentTo }) => lentTo === undefined)
    if (upstream === undefined) {
      if (!this.#waiting.includes(caller)) this.#waiting.push(caller)
      return
    }
    upstream.lentTo = caller
    const sent = Buffer.concat(caller.queue.splice(0))
    upstream.stream.write(sent)
    if (this.#losing === undefined || !sent.includes(this.#losing)) return
    this.#losing = undefined
    caller.socket.destroy()
  }

  #takeBack(upstream: Upstream): void {
    const { lentTo } = upstream
    if (lentTo === undefined) return
    this.served += 1
    upstream.lentTo = undefined
    // To whoever is next; and another session the next time.
    this.#upstreams.push(...this.#upstreams.splice(this.#upstreams.indexOf(upstream), 1))
    const next = this.#waiting.shift()
    if (next !== undefined) this.#serve(next)
    this.#serve(lentTo)
  }
}

/** Calls back for each message that has come as a whole; returns the rest. */
function eachMessage(bytes: Buffer, take: (whole: Buffer) => void): Buffer<ArrayBuffer> {
  let rest = bytes
  while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
    const size = 1 + rest.readInt32BE(1)
    take(rest.subarray(0, size))
    rest = rest.subarray(size)
  }
  return Buffer.from(rest)
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function message(type: string, body: string | Buffer): Buffer {
  const content = Buffer.from(body as string, 'latin1')
  return Buffer.concat([Buffer.from(type), number(content.length + 4), content])
}
