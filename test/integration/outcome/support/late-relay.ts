import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { listen } from '../../../support/listen'

interface Pair {
  readonly client: Socket
  readonly upstream: Socket
  readonly held: Buffer[]
  holding: boolean
}

/** A network in which what a client has sent arrives when the client has long given up. */
export class LateRelay {
  readonly #server = createServer((client) => this.#accept(client))
  readonly #pairs = new Set<Pair>()
  readonly #target: number
  #port = 0

  private constructor(target: number) {
    this.#target = target
  }

  /** @param target - the port of the server behind, on loopback. */
  static async start(target: number): Promise<LateRelay> {
    const relay = new LateRelay(target)
    relay.#port = await listen(relay.#server)
    return relay
  }

  get port(): number {
    return this.#port
  }

  /** What is sent from now on, on the connections that there are, is on its way. */
  hold(): void {
    for (const pair of this.#pairs) pair.holding = true
  }

  /** Whether this text is on its way. */
  holds(text: string): boolean {
    return [...this.#pairs].some(({ held }) => Buffer.concat(held).includes(text))
  }

  /** The clients lose these connections; the server does not. */
  drop(): void {
    for (const { client } of this.#pairs) client.destroy()
  }

  /** What was held arrives. Resolves with all that the server says to it, until it is ready for more or ends the connection. */
  async deliver(): Promise<string> {
    const late = [...this.#pairs].filter(({ held }) => held.length > 0)
    const answers = late.map(async ({ upstream, held }) => {
      const heard: Buffer[] = []
      await new Promise<void>((resolve) => {
        upstream.on('data', (chunk: Buffer) => {
          heard.push(chunk)
          if (isReady(chunk)) resolve()
        })
        upstream.on('close', resolve)
        if (upstream.destroyed) resolve()
        else upstream.write(Buffer.concat(held))
      })
      upstream.destroy()
      return Buffer.concat(heard).toString('latin1')
    })
    return (await Promise.all(answers)).join()
  }

  async close(): Promise<void> {
    for (const { client, upstream } of this.#pairs) for (const socket of [client, upstream]) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #accept(client: Socket): void {
    const upstream = connect(this.#target, '127.0.0.1')
    const pair: Pair = { client, upstream, held: [], holding: false }
    this.#pairs.add(pair)
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true)
      socket.on('error', () => undefined)
    }
    client.on('data', (chunk) => (pair.holding ? pair.held.push(chunk) : upstream.write(chunk)))
    client.on('close', () => pair.holding || upstream.end())
    upstream.on('data', (chunk) => client.destroyed || client.write(chunk))
    upstream.on('close', () => client.destroy())
  }
}

/** ReadyForQuery is six bytes, and the last message of an answer. */
function isReady(chunk: Buffer): boolean {
  return chunk.length >= 6 && chunk.readUInt8(chunk.length - 6) === 0x5a && chunk.readInt32BE(chunk.length - 5) === 5
}
