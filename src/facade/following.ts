import type pg from 'pg'
import type { Client, PoolClient } from 'pg'
import type { FollowOptions, ResolvedHost } from '../client/conninfo/follow-options'
import type { SessionNews } from '../client/session-news'
import { connectFailureIsAboutCaller } from '../core/retry/connect-failure'
import { announcesShutdown, sqlstate } from '../core/retry/sqlstate'
import { mismatch } from '../core/selection/target-session-attrs'
import type { TopologyEffect } from '../core/topology/effects'
import type { HostKey } from '../core/topology/host'
import type { TopologyState } from '../core/topology/state'
import type { HostReason } from '../errors'
import { runQuery } from '../execution/run-query'
import type { QueryCallback } from '../execution/run-query'
import { serverCode } from '../execution/verdict'
import { Probe } from '../monitor/probe'
import { boundToOneHost } from '../client/one-host'
import { bindClient, hearErrors } from '../pool/bound-client'
import type { Destination } from '../pool/bound-client'
import { Checkout } from '../pool/checkout'
import type { Clients } from '../pool/clients'
import { longestHold } from '../pool/deadlines'
import { isEnding, sessionOf } from '../pool/session'
import type { Session } from '../pool/session'
import { beginCall } from '../pool/ticket'
import type { Call, CheckoutCallback } from '../pool/ticket'
import { now } from '../runtime/clock'
import { createLog } from '../runtime/log'
import { after } from '../runtime/timer'
import { FailoverStory } from '../telemetry/failover-story'
import { LivingTopology } from '../topology/living-topology'
import type { TopologySnapshot } from '../topology/snapshot'
import { adoptClient } from './adopt-client'
import type { Settings } from './settings'

const log = createLog('pool')

/** How soon a session on the new leader is asked again that still took its server for a standby. */
const recheckMillis = 5

/** Why a session that is made in advance is not taken while nobody leads. */
const notYet = 'its server does not lead yet'

/** Longest time for a connection to be made, where no option says otherwise. */
const defaultDialMillis = 10_000

/** How long after the last held caller was served the story of a failover is told: what was cut has settled by then. */
const epilogueMillis = 20

/** A session on its way to a standby, or parked there. */
interface InAdvance {
  readonly host: HostKey
  recheck: () => void
  abort: (reason: Error) => void
}

/** pg-pool's own methods of one pool, whatever was put over them. */
export interface InheritedPool {
  connect(callback: CheckoutCallback | undefined): unknown
  query(text: unknown, values: unknown, callback: unknown): unknown
  end(callback: ((...args: unknown[]) => void) | undefined): unknown
  /** Emits one of our own events. */
  emit(event: 'failover' | 'splitBrain' | 'topology', detail: unknown): boolean
}

/** A pool that follows: binds the topology, the door and the attempts to one pg-pool, the leader's. */
export class Following {
  readonly #pool: pg.Pool
  readonly #inherited: InheritedPool
  readonly #follow: FollowOptions
  readonly #hosts: ReadonlyMap<HostKey, ResolvedHost>
  readonly #blame = new WeakMap<object, 'host' | 'nobody'>()
  readonly #doubted = new Map<HostKey, number>()
  #lastDoubt = 0
  readonly #story: FailoverStory
  readonly #timeoutMillis: number
  readonly #longestHold: number
  readonly #waiters = new Set<() => void>()
  /** Sessions made in advance on standbys, and those on their way there. */
  readonly #inAdvance = new Set<InAdvance>()
  #nextCall: Call | undefined
  #ending = false

  readonly clients: Clients
  readonly topology: LivingTopology
  readonly checkout: Checkout
  /** The class of this pool's clients: what `pool.Client` is to be. */
  readonly Client: typeof Client

  constructor(pool: pg.Pool, clients: Clients, follow: FollowOptions, settings: Settings, inherited: InheritedPool) {
    this.#pool = pool
    this.clients = clients
    this.#follow = follow
    this.#inherited = inherited
    this.#timeoutMillis = settings.times.timeoutMillis
    this.#longestHold = longestHold(settings.limits)
    this.#hosts = new Map(follow.hosts.map((host) => [host.key, host]))
    this.#story = new FailoverStory((event) => this.#announce('failover', event))
    this.topology = new LivingTopology(
      {
        hosts: [...this.#hosts.keys()],
        times: settings.times,
        lockoutMillis: this.#longestHold,
        createProbe: (key, lost) => new Probe(key, () => follow.clientOptions(this.#host(key)), lost),
      },
      (effect) => this.#perform(effect),
    )
    this.checkout = new Checkout(this.#checkoutPort(settings), this.clients, this.#story)
    const { Client: Base } = pool as unknown as { Client: typeof Client }
    this.Client = this.#bind(Base)
  }

  /** `pool.connect(callback)`. */
  connect(callback: CheckoutCallback): void {
    const call = this.#nextCall ?? beginCall(now())
    this.#nextCall = undefined
    this.topology.start()
    this.checkout.enter(call, callback)
    // What was wrong with the caller may have been mended since.
    if (this.checkout.held > 0 && this.topology.callerFault !== undefined) this.topology.askAll()
  }

  /** `pool.query(text, values, callback)`, from the first attempt to the last. */
  query(text: unknown, values: unknown, callback: QueryCallback): void {
    runQuery(this.#queryPort, text, values, callback)
  }

  /** Answers everybody who waits and lets go of every timer and socket of ours; pg-pool's own `end` follows. */
  end(): void {
    this.#ending = true
    this.#story.conclude()
    this.checkout.end()
    for (const check of this.#waiters) check()
    this.topology.stop()
    this.clients.abortDials(this.#blamed('nobody', new Error('the pool is ending')))
    this.clients.closeIdle()
  }

  get snapshot(): TopologySnapshot {
    return this.topology.snapshot
  }

  readonly #queryPort = ((following: Following) => ({
    attempt(call: Call, text: unknown, values: unknown, callback: QueryCallback): void {
      following.#nextCall = call
      following.#inherited.query(text, values, callback)
      // An instrumentation that does not come to `connect` at once must not lend this call to another one.
      following.#nextCall = undefined
    },
    async stillSuitable(session: Session): Promise<boolean> {
      await following.topology.ask(session.host)
      return following.#suitable(session)
    },
    get generation(): number {
      return following.topology.state.generation
    },
    get ending(): boolean {
      return following.#ending
    },
    get story(): FailoverStory {
      return following.#story
    },
  }))(this)

  #host(key: HostKey): ResolvedHost {
    const host = this.#hosts.get(key)
    if (host === undefined) throw new Error(`${key} is not a host of this pool`)
    return host
  }

  #available(): boolean {
    return this.topology.targets(this.#follow.targetSessionAttrs).length > 0
  }

  /** Asked at every checkout: what is true of a state stays true of it. */
  #suitable(session: Session): boolean {
    const { state } = this.topology
    if (session.suitedIn === state) return true
    const suits = this.#judge(session, state)
    if (suits) session.suitedIn = state
    return suits
  }

  #judge(session: Session, state: TopologyState): boolean {
    const leads = state.leader?.key === session.host
    return (
      this.topology.targets(this.#follow.targetSessionAttrs).includes(session.host) &&
      (!leads || session.generation === state.generation)
    )
  }

  #checkoutPort(settings: Settings): ConstructorParameters<typeof Checkout>[0] {
    const pool = this.#pool
    return {
      ...settings,
      aliveTimeoutMillis: settings.times.timeoutMillis,
      get max() {
        return pool.options.max
      },
      get idleCount() {
        return pool.idleCount
      },
      request: (callback) => this.#inherited.connect(callback),
      available: () => this.#available(),
      successors: () => this.#successors().length,
      explain: (): readonly HostReason[] => this.topology.explain(this.#follow.targetSessionAttrs),
      suitable: (session) => this.#suitable(session),
      doubtedSince: (session) =>
        session.usedAt < this.#lastDoubt && session.usedAt < (this.#doubted.get(session.host) ?? 0),
      blames: (error) => this.#blames(error),
      dead: (session) => this.#suspect(session.host, 'an idle client did not answer'),
      adopt: (client, callback) => this.#adopt(client, callback),
      held: (somebody) => {
        this.topology.somebodyWaits = somebody
      },
    }
  }

  #bind(Base: typeof Client): typeof Client {
    return bindClient(Base, {
      destination: () => this.#destination(),
      isAwaited: () => this.checkout.requests > 0,
      whenAvailable: () => this.#whenAvailable(),
      stillWanted: (host, generation) => !this.#ending && this.#stillWanted(host, generation),
      opened: (session) => log('connected to %s', session.host),
      failed: (host, error) => this.#dialFailed(host, error),
      late: (error) => this.#blamed('nobody', error),
      news: (session, news) => this.#news(session, news),
      unheard: (error) => this.#unheard(error),
    })
  }

  /** Clients that were connected before this pool followed: they must not end the process either. */
  takeOver(clients: readonly Client[], busy: readonly Client[]): void {
    for (const client of clients) hearErrors(client, (error) => this.#unheard(error))
    for (const client of busy) this.clients.acquired(client)
  }

  #unheard(error: unknown): void {
    log('an error event that nobody listens to: %s', messageOf(error))
  }

  /** For clients that somebody made of this pool's class, outside of the pool. */
  #whenAvailable(): Promise<void> {
    this.topology.start()
    if (this.#available()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        this.#waiters.delete(check)
        timer.cancel()
        act()
      }
      const check = (): void => {
        if (this.#ending) settle(() => reject(new Error('the pool of this client has been ended')))
        else if (this.#available()) settle(resolve)
      }
      const expired = (): void => settle(() => reject(this.#noHost()))
      const timer = after(this.#longestHold, expired, { ref: true })
      this.#waiters.add(check)
    })
  }

  /** A leader's session is of its generation; one that is in doubt now may be cleared in a moment. */
  #stillWanted(host: HostKey, generation: number): boolean {
    const { state } = this.topology
    if (state.leader?.key === host) return generation === state.generation
    return state.leader === undefined || this.topology.targets(this.#follow.targetSessionAttrs).includes(host)
  }

  #destination(): Destination | Error {
    const { targetSessionAttrs, loadBalanceHosts } = this.#follow
    const suitable = this.topology.targets(targetSessionAttrs)
    const place = loadBalanceHosts === 'random' ? Math.floor(Math.random() * suitable.length) : 0
    const inAdvance = suitable.length === 0
    const host = inAdvance ? this.#likelySuccessor() : suitable[place]
    if (host === undefined) return this.#noHost()
    try {
      return inAdvance ? this.#destinationInAdvance(host) : this.#destinationTo(host)
    } catch (error) {
      return error as Error
    }
  }

  #noHost(): Error {
    const why = this.topology.explain(this.#follow.targetSessionAttrs).map(({ host, reason }) => `${host} ${reason}`)
    return this.#blamed('nobody', new Error(`no suitable host is known now: ${why.join('; ')}`))
  }

  #destinationTo(host: HostKey): Destination {
    const { targetSessionAttrs, connectTimeoutMillis } = this.#follow
    const { generation } = this.topology.state
    return {
      host,
      generation: () => generation,
      options: boundToOneHost(this.#follow.clientOptions(this.#host(host))),
      timeoutMillis: connectTimeoutMillis ?? defaultDialMillis,
      accept: (role) => mismatch(targetSessionAttrs, role),
      dialling: (abort) => this.clients.dialling(host, abort),
    }
  }

  /** A session that waits, parked, for its standby to lead; it is of the generation in which it is taken. */
  #destinationInAdvance(host: HostKey): Destination {
    const destination = this.#destinationTo(host)
    const session: InAdvance = { host, recheck: () => undefined, abort: () => undefined }
    return {
      ...destination,
      generation: () => this.topology.state.generation,
      accept: (role) => {
        if (!this.#available()) return notYet
        const reason = destination.accept(role)
        // It leads, and this session has not heard of it yet: it is asked once more.
        if (reason !== undefined) after(recheckMillis, () => this.#recheck(session))
        return reason
      },
      park: (parked) => {
        log('%s: a session is ready there, in advance', host)
        session.recheck = () => parked.recheck()
        this.#recheck(session)
      },
      dialling: (abort) => {
        session.abort = abort
        this.#inAdvance.add(session)
        const over = destination.dialling(abort)
        return () => {
          over()
          this.#inAdvance.delete(session)
        }
      },
    }
  }

  /** Somebody leads: a session on that host is asked again, one elsewhere was made in vain. */
  #recheck(session: InAdvance): void {
    if (this.topology.state.leader?.key === session.host) session.recheck()
    else if (this.#available()) {
      session.abort(this.#blamed('nobody', new Error(`${session.host} is not the host to go to`)))
    }
  }

  /** The standby on which the fewest sessions wait. */
  #likelySuccessor(): HostKey | undefined {
    const waiting = (key: HostKey): number => [...this.#inAdvance].filter(({ host }) => host === key).length
    return [...this.#successors()].sort((a, b) => waiting(a) - waiting(b))[0]
  }

  /** While nobody leads, any standby may be next. */
  #successors(): readonly HostKey[] {
    const { targetSessionAttrs } = this.#follow
    const wantsLeader = targetSessionAttrs === 'read-write' || targetSessionAttrs === 'primary'
    if (!wantsLeader || this.topology.state.generation === 0 || this.#available()) return []
    return this.topology.targets('standby')
  }

  /** Remembers of an error that it is not the caller's. */
  #blames(given: unknown): 'caller' | 'host' | 'nobody' {
    const error = given as Error
    // pg-pool wraps what ended a dial whose time was up.
    return this.#blame.get(error) ?? this.#blame.get(error.cause as object) ?? 'caller'
  }

  #blamed<T extends Error>(who: 'host' | 'nobody', error: T): T {
    this.#blame.set(error, who)
    return error
  }

  #doubt(host: HostKey): void {
    this.#lastDoubt = now()
    this.#doubted.set(host, this.#lastDoubt)
  }

  #dialFailed(host: HostKey, error: Error & { code?: unknown }): void {
    if (this.#blame.has(error)) return
    if ([...this.#inAdvance].some((session) => session.host === host)) {
      this.#blamed('nobody', error)
      return
    }
    log('%s: could not connect: %s', host, error.message)
    if (connectFailureIsAboutCaller(error)) return
    this.#blamed('host', error)
    // A server whose places are all taken is alive and well.
    if (error.code !== '53300' && !this.#ending) this.#suspect(host, error.message)
  }

  #suspect(host: HostKey, why: string): void {
    this.#doubt(host)
    this.topology.suspect(host, why)
    this.checkout.update()
  }

  #news(session: Session, news: SessionNews): void {
    const { host } = session
    switch (news.type) {
      case 'role':
        // What a session hears of promotion or demotion is a hint: the monitor goes and looks.
        void this.topology.ask(host)
        break
      case 'notice':
        if (!announcesShutdown(news.sqlstate)) break
        session.warned = true
        this.#suspect(host, `a notice said ${news.sqlstate ?? ''}`)
        break
      case 'error': {
        const code = serverCode(news.error)
        if (code === undefined) {
          session.broken = true
          if (!session.retired && !isEnding(session.client)) this.#suspect(host, news.error.message)
        } else if (announcesShutdown(code)) this.#suspect(host, `a session was ended with ${code}`)
        else if (code === sqlstate.readOnlySqlTransaction) void this.topology.ask(host)
        break
      }
      case 'end':
        session.broken = true
        if (!session.retired && !isEnding(session.client)) this.#suspect(host, 'a connection was lost')
        break
      default:
        news satisfies never
    }
  }

  #perform(effect: TopologyEffect): void {
    switch (effect.type) {
      case 'leader-lost':
        this.#doubt(effect.leader.key)
        this.#story.lost(effect.at)
        this.checkout.update()
        break
      case 'retire':
        this.clients.retire((session) => session.host === effect.host)
        break
      case 'cut':
        this.#cut(effect.host)
        break
      case 'leader-ready': {
        const { leader, from, changed } = effect
        const { generation } = this.topology.state
        if (changed) this.checkout.forgetFailures()
        if (changed && from !== undefined) this.#story.elected(from, leader, generation, now())
        else this.#story.clear()
        for (const session of [...this.#inAdvance]) this.#recheck(session)
        this.checkout.update()
        this.#concludeSoon()
        break
      }
      case 'history-replaced':
        process.emitWarning(
          `all hosts have belonged to another history for so long that it is followed now: ` +
            `system identifier ${effect.identity ?? 'unknown'}, timeline ${effect.timeline ?? 'unknown'}`,
          { type: 'PgLeaderWarning', code: 'PG_LEADER_HISTORY_REPLACED' },
        )
        break
      case 'split-brain':
        this.#announce('splitBrain', Object.freeze({ hosts: effect.hosts }))
        break
      case 'publish':
        this.checkout.update()
        for (const check of this.#waiters) check()
        this.#retireUnsuitable()
        this.#announce('topology', this.topology.snapshot)
        break
      case 'caller-fault':
        this.#failCallers()
        break
      case 'ask':
        break
      default:
        effect satisfies never
    }
  }

  /** Roles change: a client of a standby that was promoted is not what a pool of standbys wants. */
  #retireUnsuitable(): void {
    if (this.#available()) this.clients.retire((session) => !this.#suitable(session))
  }

  /** Where waiting cannot help, nobody is kept waiting: they get the server's own error. */
  #failCallers(): void {
    const fault = this.topology.callerFault
    if (fault === undefined || this.checkout.held === 0) return
    log('%s: %s; this is about the caller, nobody is held for it', fault.host, fault.failure.reason)
    this.checkout.failAll(() => fault.failure.error as Error)
  }

  #cut(key: HostKey): void {
    const { host, hostaddr, port } = this.#host(key)
    const isOnHost = (client: Client): boolean =>
      (client.host === host || client.host === hostaddr) && client.port === port
    this.clients.cut(key, this.#blamed('nobody', new Error(`${key} does not lead any more`)), isOnHost)
  }

  #concludeSoon(): void {
    if (!this.#story.pending) return
    after(epilogueMillis, () => {
      if (!this.#story.over && !this.#ending) this.#concludeSoon()
      else this.#story.conclude()
    })
  }

  /** Tells listeners when our own work is done: what they throw is theirs, as it is with any emitter. */
  #announce(event: 'failover' | 'splitBrain' | 'topology', detail: unknown): void {
    process.nextTick(() => this.#inherited.emit(event, detail))
  }

  #adopt(client: PoolClient, callback: (usable: boolean) => void): void {
    const leader = this.topology.state.leader
    const host = leader && this.#hosts.get(leader.key)
    const news = (told: SessionNews): void => {
      const session = sessionOf(client)
      if (session !== undefined) this.#news(session, told)
    }
    if (host === undefined) return callback(false)
    const { generation } = this.topology.state
    const wanted = { host, generation, attrs: this.#follow.targetSessionAttrs, timeoutMillis: this.#timeoutMillis }
    adoptClient(client, wanted, news, (usable) => {
      if (usable) this.clients.adopted(client)
      callback(usable)
    })
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
