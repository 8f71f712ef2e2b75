import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Client, ClientConfig } from 'pg'
import { putFault } from '../core/selection/fault'
import type { SessionRole } from '../core/selection/target-session-attrs'
import { guardBytes } from '../runtime/guard-bytes'
import { limit, type Timer } from '../runtime/timer'
import { adopt } from './adopt'
import { catchClientErrors } from './client-errors'
import { placeGate } from './gate'
import { connectionOf, type RawConnection } from './pg-internals'
import { observeSession, type SessionNews } from './session-news'
import { withPassword } from './with-password'

export type { SessionNews } from './session-news'

/** One attempt to connect to one address of one host. */
export interface Dial {
  /** A configuration for exactly one host. */
  readonly options: ClientConfig
  /** The host's name in error texts, `host:port`. */
  readonly where: string
  /** Longest time for TCP, TLS, authentication and the role together. `0` and `Infinity` mean no limit. */
  readonly timeoutMillis: number
  /**
   * Judges the role before pg learns that the session is ready (and sends what is queued): says why not, or `undefined`
   * to take it. Left out, every session is taken and servers before 14 are not asked.
   */
  accept?(role: SessionRole): string | undefined
  /** Hears what the session tells from the moment it was taken to its end. Must not throw. */
  observe?(news: SessionNews): void
  /**
   * Where given, a session that `accept` refuses is not given up: it stays, connected and silent, behind the gate, and
   * keeps no process alive. Called once, with the way to have it judged again. From then on no time limit runs but while
   * a recheck is open. Must not throw.
   *
   * A session outlives the promotion of its server, so the one parked on a standby serves the moment it leads.
   */
  park?(parked: Parked): void
}

/** A session that was refused and waits for its server's role to change. */
export interface Parked {
  /**
   * Asks the server for its role again (a bare Sync; the role query where ParameterStatus does not tell) and judges anew:
   * taken, or parked still. No answer within `timeoutMillis` fails the attempt. Calls while a recheck is open are
   * remembered as one more; once the session is taken or lost they do nothing.
   */
  recheck(): void
}

/** An attempt under way. */
export interface Dialling {
  /** Gives up at once: the socket is destroyed and the callback gets `reason`. Does nothing once the attempt is over. */
  abort(reason: Error): void
}

/** A session that is not what was wanted: the reason in libpq's words, and where. */
function refusal(where: string, reason: string): Error {
  return Object.assign(new Error(`${where}: ${reason}`), { code: '08004' })
}

function timeout(where: string, millis: number): Error {
  const message = `${where}: no session within ${millis} ms (the host accepts no connection or does not answer)`
  return Object.assign(new Error(message), { code: 'ETIMEDOUT' })
}

function silence(where: string, millis: number): Error {
  const message = `${where}: the parked session got no answer within ${millis} ms (the host, reached before, is silent now)`
  return Object.assign(new Error(message), { code: 'ETIMEDOUT' })
}

/** A ready-made stream of the user's need not be a socket. */
function referable({ stream }: RawConnection): Partial<Pick<Socket, 'ref' | 'unref'>> {
  return stream as Duplex & Partial<Pick<Socket, 'ref' | 'unref'>>
}

/** What a stream reports is about the way to this host; one of the user's may do so without a code. */
function hearStream(stream: Duplex): void {
  stream.prependListener('error', (error: Error & { readonly code?: unknown }) => {
    if (error.code === undefined) putFault(error, 'host')
  })
}

/**
 * The options with two changes. pg's own timer is off, because ours covers the same time and a second one would report
 * it in other words. A password function that answers after its attempt is over never answers: pg would store the
 * password in the client and send it to the host that is being dialled by then.
 */
function attemptOptions(options: ClientConfig, isOver: () => boolean): ClientConfig {
  // By descriptors: pools hide `password` from enumeration.
  const copy = Object.defineProperties({}, Object.getOwnPropertyDescriptors(options)) as ClientConfig
  Object.defineProperty(copy, 'connectionTimeoutMillis', { value: 0, enumerable: true, writable: true })
  const inTime = (answer: unknown): unknown => (isOver() ? new Promise<never>(() => {}) : answer)
  return withPassword(copy, inTime, () => inTime(undefined))
}

/**
 * Connects `client` to one host and calls back once, never before it returned. `client` is an instance of `Base`,
 * perhaps of a user's subclass, that is not connected; queries queued on it wait for the host that is taken. Never waits
 * for a role to change: a host that is not what `accept` wants fails, or is parked where the attempt says so. After a
 * failure the socket is destroyed, nothing was heard on `client`, and it may be dialled again.
 *
 * On success the callback runs where pg would run the one of `connect`: before the `connect` event and queued queries.
 */
export function dial(
  client: Client,
  Base: typeof Client,
  attempt: Dial,
  callback: (error: Error | undefined) => void,
): Dialling {
  let state: 'opening' | 'opened' | 'over' = 'opening'
  let fresh: Client
  try {
    fresh = new Base(attemptOptions(attempt.options, () => state === 'over'))
  } catch (error) {
    state = 'over'
    process.nextTick(callback, error)
    return { abort() {} }
  }
  const connection = connectionOf(fresh)
  const socket = connection.stream
  hearStream(socket)
  const guard = guardBytes(connection)
  let returned = false
  let parked = false
  let rechecks: 'none' | 'open' | 'one more' = 'none'

  const gate = placeGate(connection, {
    accept: attempt.accept === undefined ? undefined : (role) => attempt.accept?.(role),
    opened(parameters) {
      state = 'opened'
      guard.lift()
      restoreEmit()
      if (attempt.observe !== undefined) observeSession(connection, parameters, (news) => attempt.observe?.(news))
    },
    refused(reason) {
      if (attempt.park !== undefined) park()
      else {
        // Terminate, so that the server need not guess why we left.
        connection.end()
        fail(refusal(attempt.where, reason))
      }
    },
    failed: fail,
  })
  adopt(client, fresh, Base)
  const restoreEmit = catchClientErrors(client, fail)

  let timer = limited(timeout)

  function limited(expired: (where: string, millis: number) => Error): Timer | undefined {
    const { timeoutMillis, where } = attempt
    if (!(timeoutMillis > 0) || timeoutMillis === Infinity) return undefined
    return limit(timeoutMillis, () => fail(expired(where, timeoutMillis)))
  }

  function park(): void {
    timer?.cancel()
    const again = rechecks === 'one more'
    rechecks = 'none'
    if (again) return recheck()
    referable(connection).unref?.()
    if (parked) return
    parked = true
    attempt.park?.({ recheck })
  }

  function recheck(): void {
    if (state !== 'opening') return
    if (rechecks !== 'none') {
      rechecks = 'one more'
      return
    }
    rechecks = 'open'
    guard.restart()
    referable(connection).ref?.()
    timer = limited(silence)
    gate.recheck()
  }

  function settle(error: Error | undefined): void {
    state = 'over'
    timer?.cancel()
    if (returned) callback(error)
    else process.nextTick(callback, error)
  }

  function fail(error: Error): void {
    if (state === 'over') return
    if (state === 'opening') {
      gate.shut()
      restoreEmit()
    }
    state = 'over'
    timer?.cancel()
    // Both: under TLS the connection's stream is the wrapper, and the TCP socket its own object.
    connection.stream.destroy()
    socket.destroy()
    const busy = gate.busy()
    if (busy === undefined) settle(error)
    else void busy.then(() => settle(error))
  }

  try {
    const connected = (error: Error | null | undefined): void => {
      if (state === 'over') return
      if (error) fail(error)
      else settle(undefined)
    }
    const result: unknown = Reflect.apply(Base.prototype.connect as (callback: typeof connected) => unknown, client, [
      connected,
    ])
    // A subclass may have made `connect` an async function; its failure is this attempt's, not an unhandled rejection.
    if (result instanceof Promise) result.catch(fail)
  } catch (error) {
    fail(error as Error)
  }
  returned = true
  return { abort: fail }
}
