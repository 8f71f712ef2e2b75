import { chooseReader } from '../core/selection/balance'
import type { LoadBalance } from '../core/selection/balance'
import type { HostKey } from '../core/topology/host'
import type { HostReason } from '../errors'
import { Bag } from '../runtime/bag'
import type { BagItem } from '../runtime/bag'
import { now } from '../runtime/clock'
import { random } from '../runtime/random'
import { WaitQueue } from '../runtime/wait-queue'
import type { Culprit } from './blame'
import { abortReason, afterEnd, holdExpired, queueFull } from './checkout-errors'
import { deadlineOf } from './deadlines'
import type { Limits } from './deadlines'
import { Expiry } from './expiry'
import { heedSignal } from './heed-signal'
import type { Fits, ReaderPool } from './reader-pool'
import { pastOf, sinceOf, Ticket } from './ticket'
import type { Call, CheckoutCallback } from './ticket'

type Callback = (error: unknown, result?: unknown) => void

/** What the readers of a pool need of it. */
export interface ReadersPort {
  readonly limits: Limits
  readonly maxWaiting: number
  readonly loadBalance: LoadBalance
  /** The hosts that a read may go to now: the leader only where nobody else may. */
  hosts(): readonly HostKey[]
  weight(host: HostKey): number
  /** Why a read goes to none of the others, host by host. */
  explain(): readonly HostReason[]
  /** What keeps callers from the leader, where it is what they would be sent to. */
  obstacle(): Error | undefined
  createPool(host: HostKey): ReaderPool
  /** Whose fault it is that a request failed before anything was sent. */
  blames(error: unknown): Culprit
  /** A host would not have us: it is left alone for a while. */
  ban(host: HostKey): void
  /** When the next one that is left alone may be tried again; undefined if none is. */
  nextReturn(): number | undefined
  /** Somebody is held now, or nobody is any more. */
  held(somebody: boolean): void
}

/** One host, as the balance looks at it. */
class Reader {
  readonly key: HostKey
  weight: number
  readonly pool: ReaderPool

  constructor(key: HostKey, weight: number, pool: ReaderPool) {
    this.key = key
    this.weight = weight
    this.pool = pool
  }

  get inFlight(): number {
    return this.pool.inFlight
  }
}

/** Somebody who is in the hands of pg-pool: with a statement, or for a client. */
class InHand implements BagItem {
  place = -1
  readonly call: Call | undefined
  readonly callback: (error: Error) => void

  constructor(call: Call | undefined, callback: (error: Error) => void) {
    this.call = call
    this.callback = callback
  }
}

/**
 * Who reads where. Each call goes to one of the hosts that will do now, chosen anew every time; a host that cannot be
 * connected to sends it on to the next. While none will do, callers are held.
 */
export class Readers {
  readonly #port: ReadersPort
  readonly #readers = new Map<HostKey, Reader>()
  /** Of hosts that have left, as long as somebody has a client of theirs. */
  readonly #leaving = new Set<Reader>()
  /** Of one list of hosts that will do, compared and never looked into. */
  #known: { readonly hosts: readonly HostKey[]; readonly readers: readonly Reader[] } | undefined
  readonly #line = new WaitQueue<Ticket>()
  readonly #expiry = new Expiry(() => this.#expire())
  readonly #goOn = new Expiry(() => this.changed())
  /** Those who are in the hands of pg-pool, which answers none of those who are in its queue when it ends. */
  readonly #inHand = new Bag<InHand>()
  #heldSince = now()
  #turn = 0
  #paused = false
  #ended = false

  constructor(port: ReadersPort) {
    this.#port = port
  }

  /** The pools that there are. */
  get pools(): readonly ReaderPool[] {
    return [...this.#readers.values(), ...this.#leaving].map(({ pool }) => pool)
  }

  /** The hosts that there are pools for; without those who have left. */
  get hosts(): readonly HostKey[] {
    return [...this.#readers.keys()]
  }

  /** How many clients of a host can be had now without standing in line. */
  spare(host: HostKey): number {
    return this.#reader(host).pool.spare
  }

  get held(): number {
    return this.#line.size
  }

  /** One attempt of a statement. `none`: there is no host now; left out: one is waited for. */
  attempt(call: Call, text: unknown, values: unknown, callback: Callback, none?: () => void): void {
    heedSignal(call, callback, none, (tell, orNone) => this.#run(call, text, values, tell, orNone))
  }

  /** The host that a read would go to now; undefined if there is none. */
  pick(): HostKey | undefined {
    return this.#choose()?.key
  }

  /** Calls back when there is a host to go to, or nobody waits for one any more. */
  whenAvailable(call: Call, callback: (error?: Error) => void): void {
    if (this.pick() === undefined) this.#hold(call, callback)
    else callback()
  }

  /** One attempt of a statement on this host. `elsewhere`: it would not have it, or no session that fits; somebody else may. */
  attemptOn(
    host: HostKey,
    call: Call,
    [text, values]: readonly unknown[],
    callback: Callback,
    elsewhere: () => void,
    fits?: Fits,
  ): void {
    const reader = this.#reader(host)
    const inHand = this.#inHand.add(new InHand(call, callback))
    reader.pool.run(
      call,
      text,
      values,
      (error, result) => {
        if (!this.#inHand.remove(inHand)) return
        if (error && call.session === undefined) this.#answer(reader, error, callback, elsewhere)
        else callback(error, result)
      },
      fits,
    )
  }

  /** A client of this host. */
  connectOn(host: HostKey, callback: CheckoutCallback, elsewhere: () => void): void {
    const reader = this.#reader(host)
    const inHand = this.#inHand.add(new InHand(undefined, callback))
    const told: CheckoutCallback = (error, client, done) => {
      if (!this.#inHand.remove(inHand)) return client?.release()
      if (error !== undefined) this.#answer(reader, error, callback, elsewhere)
      else callback(error, client, done)
    }
    reader.pool.connect(told)
  }

  #run(call: Call, text: unknown, values: unknown, callback: Callback, none?: () => void): void {
    const reader = this.#choose()
    if (reader === undefined) {
      if (none !== undefined) return none()
      this.#hold(call, (error) => (error === undefined ? this.#run(call, text, values, callback) : callback(error)))
      return
    }
    this.attemptOn(reader.key, call, [text, values], callback, () => this.#run(call, text, values, callback, none))
  }

  /** A client of one of the hosts. */
  connect(call: Call, callback: CheckoutCallback): void {
    const reader = this.#choose()
    if (reader === undefined) {
      this.#hold(call, (error) => (error === undefined ? this.connect(call, callback) : callback(error)))
      return
    }
    this.connectOn(reader.key, callback, () => this.connect(call, callback))
  }

  /** A request has failed: another one is to be made, or this is the caller's answer. */
  #answer(reader: Reader, error: unknown, tell: (error: Error) => void, elsewhere: () => void): void {
    const culprit = this.#port.blames(error)
    if (culprit === 'caller') return tell(error as Error)
    if (this.#ended) return tell(new Error(afterEnd))
    if (culprit === 'host') this.#port.ban(reader.key)
    elsewhere()
  }

  /** What is believed of the hosts has changed, or one may be tried again. */
  changed(): void {
    while (this.#line.size > 0 && !this.#paused && this.#port.hosts().length > 0) {
      const ticket = this.#line.peek()
      if (ticket === undefined) break
      this.#settle(ticket, undefined)
    }
    this.#mindLine()
  }

  /** A host is one no more: its pool ends when nobody has a client of it. Should the host come back, it gets a new one. */
  leave(host: HostKey): void {
    const reader = this.#readers.get(host)
    if (reader === undefined) return
    this.#readers.delete(host)
    this.#known = undefined
    this.#leaving.add(reader)
    reader.pool.leave(() => this.#leaving.delete(reader))
  }

  /** The hosts' shares of the reads may be others. */
  reweigh(): void {
    for (const reader of this.#readers.values()) reader.weight = this.#port.weight(reader.key)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.changed()
  }

  /** Fails everybody who waits: it would not help them to go on. */
  failAll(error: Error): void {
    for (const ticket of [...this.#line]) this.#settle(ticket, error)
    this.#mindLine()
  }

  /** Resolves when every connection is closed. */
  async end(): Promise<void> {
    this.#ended = true
    this.failAll(new Error(afterEnd))
    for (const inHand of this.#inHand.items) {
      // What has been sent has its own answer.
      if (inHand.call?.session !== undefined) continue
      this.#inHand.remove(inHand)
      inHand.callback(new Error(afterEnd))
    }
    await Promise.all(this.pools.map((pool) => pool.end()))
  }

  #choose(): Reader | undefined {
    if (this.#paused) return undefined
    const hosts = this.#port.hosts()
    if (this.#known?.hosts !== hosts) this.#known = { hosts, readers: hosts.map((host) => this.#reader(host)) }
    const { readers } = this.#known
    return readers.length < 2 ? readers[0] : chooseReader(readers, this.#port.loadBalance, random, this.#turn++)
  }

  #reader(host: HostKey): Reader {
    let reader = this.#readers.get(host)
    if (reader === undefined) {
      reader = new Reader(host, this.#port.weight(host), this.#port.createPool(host))
      this.#readers.set(host, reader)
    }
    return reader
  }

  #hold(call: Call, goOn: (error?: Error) => void): void {
    call.callback = goOn
    const ticket = new Ticket(call)
    if (this.#ended) return ticket.fail(new Error(afterEnd))
    // While it was with a host that would not have it: the signal tells of that no more.
    if (call.signal?.aborted === true) return ticket.fail(abortReason(call.signal))
    if (this.#line.size >= this.#port.maxWaiting && call.past?.resent !== true) {
      return ticket.fail(queueFull(this.#port))
    }
    const { signal } = call
    if (signal !== undefined) {
      ticket.onAbort(signal, () => {
        this.#settle(ticket, abortReason(signal))
        this.#mindLine()
      })
    }
    if (this.#line.size === 0) this.#heldSince = now()
    this.#line.add(ticket)
    this.#port.held(true)
    this.#expiry.by(this.#deadline(call))
    const next = this.#port.nextReturn()
    if (next !== undefined) this.#goOn.by(next)
  }

  #deadline(call: Call): number {
    return deadlineOf(call, 'held', this.#heldSince, this.#port.limits)
  }

  #settle(ticket: Ticket, error: Error | undefined): void {
    if (ticket.settled) return
    ticket.settled = true
    this.#line.left()
    const past = pastOf(ticket.call)
    past.heldMillis += now() - Math.max(past.since, this.#heldSince)
    if (error === undefined) ticket.goOn()
    else ticket.fail(error)
  }

  #expire(): void {
    const at = now()
    for (const ticket of [...this.#line]) {
      const { call } = ticket
      if (this.#deadline(call) > at) this.#expiry.by(this.#deadline(call))
      else {
        this.#settle(ticket, holdExpired(this.#port, at - sinceOf(call), this.#paused))
      }
    }
    this.#mindLine()
  }

  #mindLine(): void {
    if (this.#line.size > 0) {
      const next = this.#port.nextReturn()
      if (next !== undefined) this.#goOn.by(next)
      return
    }
    this.#expiry.forget()
    this.#goOn.forget()
    this.#port.held(false)
  }
}
