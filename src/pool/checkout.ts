import type { PoolClient } from 'pg'
import { now } from '../runtime/clock'
import { createLog } from '../runtime/log'
import { WaitQueue } from '../runtime/wait-queue'
import type { FailoverStory } from '../telemetry/failover-story'
import { BackOff } from './back-off'
import {
  abortReason,
  afterEnd,
  badSignal,
  dialsFailed,
  dialTimeout,
  holdExpired,
  queueFull,
  waitTimeout,
} from './checkout-errors'
import type { CheckoutPort } from './checkout-port'
import type { Clients } from './clients'
import { deadlineOf, longestHold } from './deadlines'
import { Expiry } from './expiry'
import { Inspection } from './inspection'
import { Preparation } from './preparation'
import { Ramp } from './ramp'
import { sessionOf } from './session'
import type { Session } from './session'
import { pastOf, sinceOf, Ticket } from './ticket'
import type { Call, CheckoutCallback } from './ticket'

const log = createLog('pool')

/**
 * Who is given a client, and when. A caller is a ticket with a place in the line and a deadline. While there is a host to go to,
 * tickets make requests to pg-pool, `max` at once at the most, and every client it delivers goes to the oldest
 * ticket, after a look at whether its host is still the right one and still answers. While there is none (or the pool
 * is paused) tickets simply stay: nobody is ever stuck in pg-pool's own queue.
 */
export class Checkout {
  readonly #port: CheckoutPort
  readonly #clients: Clients
  readonly #story: FailoverStory
  /** Whether a caller's patience ends also while there is a host to go to. */
  readonly #hasDeadline: boolean
  readonly #line = new WaitQueue<Ticket>()
  #requests = 0
  /** Callers without a ticket, whom pg-pool serves at its next tick. */
  readonly #passing: Call[] = []
  #phase: 'held' | 'waiting' = 'held'
  #phaseSince = now()
  #paused = false
  #ended = false
  #drained: (() => void) | undefined
  #told = false
  readonly #expiry = new Expiry(() => this.#expire())
  readonly #backOff = new BackOff(() => this.#pump())
  readonly #ramp: Ramp
  readonly #preparation: Preparation
  readonly #inspection: Inspection

  constructor(port: CheckoutPort, clients: Clients, story: FailoverStory) {
    this.#port = port
    this.#clients = clients
    this.#story = story
    this.#hasDeadline = port.limits.connectionTimeoutMillis !== undefined
    const pump = (): void => this.#pump()
    this.#ramp = new Ramp(port, this.#line, pump)
    const requests = { open: () => this.#requests, make: () => this.#request(), pump }
    this.#preparation = new Preparation(port, this.#line, requests)
    this.#inspection = new Inspection(port, (client, usable) => this.#judged(client, usable))
  }

  /** Callers that have no client yet. */
  get waiting(): number {
    return this.#line.size + this.#passing.length
  }

  /** Callers that wait for want of a host. */
  get held(): number {
    return this.#phase === 'held' ? this.#line.size : 0
  }

  /** Requests that are open in pg-pool: for those who wait, and for sessions that are made in advance. */
  get requests(): number {
    return this.#requests
  }

  get paused(): boolean {
    return this.#paused
  }

  /** Takes a caller in. */
  enter(call: Call, callback: CheckoutCallback): void {
    call.callback = callback
    const nobodyFirst = this.#phase === 'waiting' && this.#line.size === 0 && call.signal === undefined
    if (this.#drained !== undefined) new Ticket(call).fail(new Error(afterEnd))
    else if (nobodyFirst && !this.#ended && this.#requests < this.#port.idleCount) this.#passThrough(call)
    else this.#queueUp(call)
  }

  /**
   * An idle client is there for everybody who asks: pg-pool hands it over at the next tick, in the caller's own async
   * context, so there is no need for a ticket. Should it turn out to be of no use, there is one after all.
   */
  #passThrough(call: Call): void {
    this.#passing.push(call)
    this.#requests += 1
    this.#port.request((error, client) => {
      if (this.#ended) return client?.release()
      // As a rule whoever came first.
      if (this.#passing[0] === call) this.#passing.shift()
      else this.#passing.splice(this.#passing.indexOf(call), 1)
      this.#mindDraining()
      const session = client && sessionOf(client)
      const first = this.#phase === 'waiting' && this.#line.size === 0
      if (session === undefined || !first || !this.#inspection.isFresh(session, call.arrival)) {
        this.#queueUp(call)
        this.#answered(error, client)
        return
      }
      this.#requests -= 1
      session.usedAt = call.arrival
      call.session = session
      call.callback(undefined, client, client?.release)
    })
  }

  #queueUp(call: Call): void {
    const ticket = new Ticket(call)
    if (this.#ended) return ticket.fail(new Error(afterEnd))
    const { signal } = call
    if (signal !== undefined && signal !== null) {
      if (typeof signal.addEventListener !== 'function') return ticket.fail(badSignal(signal))
      if (signal.aborted) return ticket.fail(abortReason(signal))
      ticket.onAbort(signal, () => this.#fail(ticket, abortReason(signal)))
    }
    if (this.#phase === 'held') {
      // What was sent already is not refused: its caller could not tell that from a statement that was never sent.
      if (this.#line.size >= this.#port.maxWaiting && call.past?.resent !== true) {
        log('%d callers are held already: the next is refused', this.#line.size)
        return ticket.fail(queueFull(this.#port))
      }
      this.#tellStory(ticket)
      this.#somebodyHeld(true)
    }
    this.#line.add(ticket)
    if (this.#phase === 'held' || this.#hasDeadline) {
      this.#expiry.by(deadlineOf(call, this.#phase, this.#phaseSince, this.#port.limits))
    }
    this.#pump()
  }

  /** The hosts to go to have changed, or the pool was paused or resumed: at that moment. */
  update(at = now()): void {
    if (this.#ended) return
    const phase = this.#port.available() && !this.#paused ? 'waiting' : 'held'
    if (phase !== this.#phase) this.#enterPhase(phase, at)
    this.#pump()
  }

  pause(): void {
    this.#paused = true
    this.update()
  }

  resume(): void {
    this.#paused = false
    this.update()
  }

  /** Somebody else leads: what failed before says nothing about it. */
  forgetFailures(): void {
    this.#backOff.forget()
  }

  /** Fails everybody who waits: it would not help them to go on. */
  failAll(error: () => Error): void {
    for (const ticket of [...this.#line]) this.#fail(ticket, error())
  }

  /**
   * Takes nobody in any more. Of those in the line the first `most` are served still, the others are answered; `drained`
   * is called when nobody waits any more.
   */
  drain(most: number, drained: () => void): void {
    this.#drained = drained
    for (const ticket of [...this.#line].slice(most)) this.#fail(ticket, new Error(afterEnd))
    this.#mindDraining()
  }

  #mindDraining(): void {
    if (this.#drained === undefined || this.waiting > 0) return
    const drained = this.#drained
    // Whoever left the line last has not been given the client yet.
    process.nextTick(() => this.#ended || drained())
  }

  end(): void {
    this.#ended = true
    this.failAll(() => new Error(afterEnd))
    // pg-pool answers none of those who are in its queue when it ends.
    for (const call of this.#passing.splice(0)) new Ticket(call).fail(new Error(afterEnd))
    this.#expiry.forget()
    this.#cancelRequests()
  }

  /** Nothing that was to lead to more requests by and by does so any more. */
  #cancelRequests(): void {
    this.#preparation.cancel()
    this.#backOff.cancel()
    this.#ramp.cancel()
  }

  #enterPhase(phase: 'held' | 'waiting', at: number): void {
    for (const ticket of this.#line) {
      if (phase === 'held') this.#tellStory(ticket)
      else {
        const past = pastOf(ticket.call)
        past.heldMillis += at - Math.max(past.since, this.#phaseSince)
        this.#story.heldFor(past.heldMillis)
      }
    }
    this.#phase = phase
    this.#phaseSince = at
    this.#somebodyHeld(phase === 'held' && this.#line.size > 0)
    this.#cancelRequests()
    if (phase === 'waiting') {
      if (this.#backOff.failures > 0) this.#backOff.pause()
      else if (this.#line.size > 1) this.#ramp.climb()
    }
    this.#expiry.forget()
    for (const { call } of this.#line) this.#expiry.by(deadlineOf(call, phase, at, this.#port.limits))
  }

  #tellStory(ticket: Ticket): void {
    if (ticket.counted) return
    ticket.counted = true
    this.#story.held()
  }

  /** Makes as many requests as there are tickets to be served, and `max` at the most. */
  #pump(): void {
    if (this.#ended) return
    if (this.#phase === 'held') {
      if (!this.#paused) this.#preparation.prepare()
      return
    }
    if (this.#requests >= this.#line.size || this.#backOff.active) return
    while (this.#requests < Math.min(this.#line.size, this.#port.max, this.#ramp.allowed)) this.#request()
  }

  #request(): void {
    this.#requests += 1
    this.#port.request(this.#answered)
  }

  /** One for all requests: whatever is delivered goes to the oldest ticket. */
  readonly #answered: CheckoutCallback = (error, client) => {
    if (client === undefined) {
      this.#refused(error ?? new Error('pg-pool delivered neither a client nor an error'))
      return
    }
    // The everyday case, at once: somebody waits, and there is nothing to find out about this client.
    const session = this.#phase === 'waiting' ? sessionOf(client) : undefined
    const ticket = session && this.#line.peek()
    if (session !== undefined && ticket !== undefined && this.#inspection.isFresh(session, this.#since(ticket))) {
      this.#requests -= 1
      this.#hand(client, session, ticket)
    } else this.#inspect(client, ticket)
  }

  #refused(error: Error): void {
    this.#requests -= 1
    const blamed = this.#port.blames(error)
    if (blamed !== 'caller') {
      // Whoever waits goes on waiting; the next attempt follows the news, or a pause if there is none.
      if (blamed === 'host') this.#backOff.failed(error)
      if (this.#phase === 'held') this.#preparation.refused()
      else if (blamed === 'host' && this.#line.size > 0) {
        this.#backOff.pause()
        this.#expiry.by(this.#patience())
      }
      this.update()
      return
    }
    // A request that waited too long in pg-pool's queue: the ticket that it was made for has its own clock.
    const ticket = error.message === waitTimeout ? undefined : this.#line.peek()
    if (ticket !== undefined) this.#fail(ticket, error)
    this.#pump()
  }

  /** A client has been delivered: is it one to be given away? Until that is known it counts as a request. */
  #inspect(client: PoolClient, next = this.#line.peek()): void {
    this.#inspection.inspect(client, this.#phase === 'held', next === undefined ? this.#phaseSince : this.#since(next))
  }

  /** Counted to the arrival of whoever is next: a client that was released after that has only just been used. */
  #since({ arrival }: Ticket): number {
    return Math.max(arrival, this.#phaseSince)
  }

  #judged(client: PoolClient, usable: boolean): void {
    this.#requests -= 1
    if (!usable) {
      this.#clients.retireDelivered(client)
      this.#pump()
      return
    }
    const ticket = this.#phase === 'held' ? undefined : this.#line.peek()
    if (ticket === undefined) {
      // Nobody wants it any more, or nobody may have it now: it waits among the idle.
      client.release()
      return
    }
    this.#hand(client, sessionOf(client), ticket)
  }

  #hand(client: PoolClient, session: Session | undefined, ticket: Ticket): void {
    this.#backOff.forget()
    if (session !== undefined) session.usedAt = Math.max(this.#since(ticket), session.usedAt)
    const { call } = ticket
    call.session = session
    if (call.past !== undefined || this.#hasDeadline) {
      const past = pastOf(call)
      past.waitedMillis += now() - past.since
    }
    this.#leave(ticket)
    if (this.#ramp.allowed === 1) this.#ramp.climb()
    else if (this.#line.size > this.#requests) this.#pump()
    ticket.serve(client)
  }

  #fail(ticket: Ticket, error: Error): void {
    if (ticket.settled) return
    this.#leave(ticket)
    ticket.fail(error)
  }

  /** Marks it as settled for the line before its callback runs, which may come back with another call. */
  #leave(ticket: Ticket): void {
    ticket.settled = true
    this.#line.left()
    if (ticket.counted) {
      ticket.counted = false
      this.#story.released()
    }
    if (this.#line.size > 0) return
    this.#somebodyHeld(false)
    this.#expiry.forget()
    this.#mindDraining()
  }

  #somebodyHeld(somebody: boolean): void {
    if (somebody === this.#told) return
    this.#told = somebody
    this.#port.held(somebody)
  }

  #expire(): void {
    const at = now()
    for (const ticket of [...this.#line]) {
      const own = deadlineOf(ticket.call, this.#phase, this.#phaseSince, this.#port.limits)
      const { call } = ticket
      const ownPatience = sinceOf(call) + longestHold(this.#port.limits) - (call.past?.waitedMillis ?? 0)
      const patience = Math.max(this.#patience(), ownPatience)
      const deadline = Math.min(own, patience)
      if (deadline <= at + 1) this.#fail(ticket, this.#expired(ticket, at))
      else this.#expiry.by(deadline)
    }
  }

  /** Until when it is borne that every request to the host to go to fails. */
  #patience(): number {
    const { since } = this.#backOff
    return this.#phase === 'held' || since === undefined ? Infinity : since + longestHold(this.#port.limits)
  }

  #expired(ticket: Ticket, at: number): Error {
    const waited = (ticket.call.past?.waitedMillis ?? 0) + at - sinceOf(ticket.call)
    if (this.#phase === 'held') return holdExpired(this.#port, waited, this.#paused)
    const { last } = this.#backOff
    if (last === undefined) return new Error(this.#clients.busy.length >= this.#port.max ? waitTimeout : dialTimeout)
    if (this.#port.limits.connectionTimeoutMillis === undefined) return dialsFailed(this.#port, waited, last)
    return new Error(dialTimeout, { cause: last })
  }
}
