import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { eachMessage } from './each-message'
import { listen, listensOn } from './listen'

/** `up`: what the client says to the server; `down`: what it hears. */
export type Direction = 'up' | 'down'

export interface FaultProxyOptions {
  /** Messages of the server's that do not come through. `message`: one whole message of the protocol. */
  readonly hides?: (message: Buffer) => boolean
  /** It reads what the server says message by message, as `cutBehind` needs it. */
  readonly reads?: boolean
}

/** What becomes of a connection that is made now. */
type Welcome = 'forward' | 'mute' | 'reset'

/** A byte count after which connections are cut. */
interface Cut {
  readonly direction: Direction
  readonly bytes: number
}

interface Pair {
  readonly client: Socket
  readonly upstream: Socket | undefined
  readonly carried: Record<Direction, number>
  silent: boolean
  cut: Cut | undefined
}

/** A TCP proxy on the way to one server, which does to connections what networks and dying hosts do. */
export class FaultProxy {
  readonly #server = createServer((client) => this.#accept(client))
  readonly #pairs = new Set<Pair>()
  readonly #options: FaultProxyOptions
  /** In which nothing comes through just now. */
  readonly #dropped = new Set<Direction>()
  #target: number
  #port = 0
  #welcome: Welcome = 'forward'
  #delayMillis = 0
  #cut: Cut | undefined
  #lastType: string | undefined
  #accepted = 0

  private constructor(target: number, options: FaultProxyOptions) {
    this.#target = target
    this.#options = options
  }

  /** @param target - the port of the server behind, on loopback. */
  static async start(target: number, options: FaultProxyOptions = {}): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, options)
    proxy.#port = await listen(proxy.#server, 'returning')
    return proxy
  }

  /** Where it listens; the same after `stop` and `start`. */
  get port(): number {
    return this.#port
  }

  /** How many clients are connected. */
  get connections(): number {
    return this.#pairs.size
  }

  /** How many connections there have been. */
  get accepted(): number {
    return this.#accepted
  }

  /** Connections end in good order, and new ones are refused. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const { client } of this.#pairs) client.destroy()
    await closed
  }

  /** Listens again after `stop`. */
  async start(): Promise<void> {
    if (!(await listensOn(this.#server, this.#port))) throw new Error(`port ${this.#port} was taken meanwhile`)
  }

  /** New connections are accepted and nothing is ever said on them. */
  mute(): void {
    this.#welcome = 'mute'
  }

  /** New connections are reset as soon as they stand. */
  refuse(): void {
    this.#welcome = 'reset'
  }

  /** The connections that are open stay open, and nothing comes through either way. New ones work. */
  silence(): void {
    for (const pair of this.#pairs) pair.silent = true
  }

  /** Nothing comes through, on the connections that are open as on new ones. */
  blackHole(): void {
    this.mute()
    this.silence()
  }

  /**
   * A network that loses packets, in one direction or both: nothing comes through, on the connections that are open as on
   * new ones. Both ends believe in them, and when it heals, what is on its way arrives: TCP sends it again.
   */
  partition(...directions: readonly Direction[]): void {
    for (const direction of directions) this.#dropped.add(direction)
    for (const pair of this.#pairs) this.#hold(pair)
  }

  /** The connections that are open are reset. */
  reset(): void {
    for (const { client } of this.#pairs) client.resetAndDestroy()
  }

  /** From now on everything takes so much longer, either way. */
  delay(millis: number): void {
    this.#delayMillis = millis
  }

  /** Cuts every connection, open or new, when so many more bytes have come through it in this direction; those still do. */
  cutAfter(direction: Direction, bytes: number): void {
    this.#cut = { direction, bytes }
    for (const pair of this.#pairs) pair.cut = { direction, bytes: pair.carried[direction] + bytes }
  }

  /** Cuts every connection, open or new, behind the next message of this type that the server sends. */
  cutBehind(type: string): void {
    if (this.#options.reads !== true) throw new Error('it does not read messages')
    this.#lastType = type
  }

  /** New connections go to this port. */
  moveTo(target: number): void {
    this.#target = target
  }

  /** New connections come through again, unharmed, and old ones that a partition held. */
  heal(): void {
    this.#dropped.clear()
    for (const { client, upstream } of this.#pairs) for (const socket of [client, upstream]) socket?.resume()
    this.#welcome = 'forward'
    this.#delayMillis = 0
    this.#cut = undefined
    this.#lastType = undefined
  }

  /** Ends it for good. */
  async close(): Promise<void> {
    await this.stop().catch(() => undefined)
  }

  #accept(client: Socket): void {
    this.#accepted += 1
    const forwards = this.#welcome === 'forward'
    const upstream = forwards ? connect(this.#target, '127.0.0.1') : undefined
    const pair: Pair = { client, upstream, carried: { up: 0, down: 0 }, silent: !forwards, cut: this.#cut }
    this.#pairs.add(pair)
    for (const socket of [client, upstream]) {
      socket?.setNoDelay(true)
      socket?.on('error', () => undefined)
      socket?.on('close', () => {
        this.#pairs.delete(pair)
        client.destroy()
        upstream?.destroy()
      })
    }
    if (this.#welcome === 'reset') client.resetAndDestroy()
    client.on('data', (chunk) => this.#carry(pair, 'up', chunk))
    client.on('end', () => pair.silent || upstream?.end())
    upstream?.on('end', () => pair.silent || client.end())
    const { hides = () => false } = this.#options
    const reads = this.#options.reads ?? this.#options.hides !== undefined
    const down = (chunk: Buffer): void => this.#carry(pair, 'down', chunk)
    upstream?.on('data', reads ? eachMessage((message) => hides(message) || down(message)) : down)
    this.#hold(pair)
  }

  /** What is not read stays with its sender, good-byes too. */
  #hold({ client, upstream }: Pair): void {
    if (this.#dropped.has('up')) client.pause()
    if (this.#dropped.has('down')) upstream?.pause()
  }

  #carry(pair: Pair, direction: Direction, chunk: Buffer): void {
    if (pair.silent) return
    const to = direction === 'up' ? pair.upstream : pair.client
    const room = pair.cut?.direction === direction ? pair.cut.bytes - pair.carried[direction] : Infinity
    const passed = chunk.subarray(0, room)
    pair.carried[direction] += passed.length
    const isLast = direction === 'down' && this.#lastType === chunk.toString('latin1', 0, 1)
    const pass = (): void => {
      if (pair.silent) return
      to?.write(passed)
      if (chunk.length < room && !isLast) return
      // What was read together with it is behind it.
      pair.silent = isLast
      to?.end(() => to.destroy())
    }
    if (this.#delayMillis === 0) pass()
    else setTimeout(pass, this.#delayMillis)
  }
}
