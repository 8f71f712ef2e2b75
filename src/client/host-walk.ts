import type { Client } from 'pg'
import { connectFailureIsAboutCaller } from '../core/retry/connect-failure'
import { faultOf, putFault } from '../core/selection/fault'
import { mismatch } from '../core/selection/target-session-attrs'
import type { TargetSessionAttrs } from '../core/selection/target-session-attrs'
import { createLog } from '../runtime/log'
import { random } from '../runtime/random'
import { abandon } from './abandon'
import { addressesOf, systemLookup } from './addresses'
import { defaultConnectTimeoutMillis } from './conninfo/follow-options'
import type { FollowOptions, ResolvedHost } from './conninfo/follow-options'
import { rememberReference } from './carry-over'
import { credentialsDiffer } from './credentials'
import { dialSigningIn, prepareSignIn } from './sign-in'
import type { Dialling } from './dial'
import { isEnding, propertiesOf } from './pg-internals'
import { walk } from './walk'
import type { AttemptResult } from './walk'

const log = createLog('client')

/** The connect of one client over many hosts. */
export class HostWalk {
  readonly #client: Client
  readonly #Base: typeof Client
  readonly #follow: FollowOptions
  readonly #restoreReference: () => void
  #callback: ((error: Error | undefined) => void) | undefined
  #dialling: Dialling | undefined
  /** What `connect()` returned, if a promise. */
  answer: Promise<unknown> | undefined
  #state: 'new' | 'walking' | 'over' = 'new'
  #endedBefore = false

  constructor(client: Client, Base: typeof Client, follow: FollowOptions) {
    this.#client = client
    this.#Base = Base
    this.#follow = follow
    this.#restoreReference = rememberReference(client)
  }

  /** Connects; calls back once, like the callback of pg's `connect`: before the `connect` event and queued queries. */
  start(callback: (error: Error | undefined) => void): void {
    if (this.#state !== 'new') {
      // pg's own words.
      process.nextTick(callback, new Error('Client has already been connected. You cannot reuse a client.'))
      return
    }
    this.#state = 'walking'
    this.#callback = callback
    this.#endedBefore = isEnding(this.#client)
    walk(this.#follow, {
      random,
      addresses: (host) => this.#addresses(host),
      attempt: (target, wanted) => this.#attempt(target, wanted),
      credentialsDiffer: () => credentialsDiffer(this.#follow),
    }).catch((error: unknown) => this.#fail(error as Error))
  }

  /** Ends a walk under way: its callback gets an error. Otherwise does nothing. */
  abort(): void {
    // Where nobody awaits it, `connect()` and `end()` in a row end no process, as with pg, whose promise never settles.
    this.answer?.then(undefined, () => undefined)
    // pg's own words for a client that was ended.
    this.#fail(new Error('Connection terminated'))
  }

  get #timeoutMillis(): number {
    return this.#follow.connectTimeoutMillis ?? defaultConnectTimeoutMillis
  }

  async #addresses(host: ResolvedHost): Promise<readonly string[]> {
    // A stream of the user's finds its way by itself; the name may mean nothing to this machine.
    if (this.#state === 'over' || this.#follow.clientOptions(host).stream !== undefined) return []
    return addressesOf(host, this.#timeoutMillis, systemLookup)
  }

  #attempt(target: ResolvedHost, wanted: TargetSessionAttrs): Promise<AttemptResult> {
    return new Promise((resolve) => {
      // Aborted meanwhile: the callback has been given its error, and nothing may be dialled for nobody.
      if (this.#state === 'over') return resolve({ type: 'taken' })
      let unsuitable = false
      const where = target.key
      const attempt = {
        where,
        timeoutMillis: this.#timeoutMillis,
        ...(wanted !== 'any' && {
          accept: (role: Parameters<typeof mismatch>[1]) => {
            const reason = mismatch(wanted, role)
            unsuitable = reason !== undefined
            return reason
          },
        }),
      }
      const signIn = prepareSignIn(() => this.#follow.clientOptions(target))
      this.#dialling = dialSigningIn(this.#client, this.#Base, attempt, signIn, (error) => {
        const said = error?.message ?? 'taken'
        const what = said.startsWith(`${where}: `) ? said.slice(where.length + 2) : said
        log('%s%s: %s', where, target.hostaddr === undefined ? '' : ` (${target.hostaddr})`, what)
        if (error === undefined) {
          // pg connects a client that was ended too early, and refuses its queries.
          if (this.#endedBefore) propertiesOf(this.#client)['_ending'] = true
          // Now and not when the promise settles: queued queries follow in this very tick.
          this.#settle(undefined)
          resolve({ type: 'taken' })
        } else if (unsuitable) resolve({ type: 'unsuitable', error })
        else resolve({ type: 'failed', error: judged(error) })
      })
      this.#restoreReference()
    })
  }

  #fail(error: Error): void {
    if (this.#state !== 'walking') return
    this.#state = 'over'
    this.#dialling?.abort(error)
    const callback = this.#callback
    process.nextTick(() => {
      callback?.(error)
    })
    abandon(this.#client, error)
  }

  #settle(error: undefined): void {
    if (this.#state !== 'walking') return
    this.#state = 'over'
    this.#dialling = undefined
    this.#callback?.(error)
  }
}

/** Errors of this side, such as a password that is no string, have no code by which the walk could tell them. */
function judged(error: Error): Error {
  if (faultOf(error) !== undefined) return error
  return putFault(error, connectFailureIsAboutCaller(error) ? 'caller' : 'host')
}
