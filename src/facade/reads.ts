import type pg from 'pg'
import type { Client, ClientConfig } from 'pg'
import { defaultConnectTimeoutMillis } from '../client/conninfo/follow-options'
import type { FollowOptions } from '../client/conninfo/follow-options'
import { copyOptions } from '../client/copy-options'
import { boundToOneHost } from '../client/one-host'
import { guardedOptions } from '../client/read-only-session'
import type { SessionNews } from '../client/session-news'
import { prepareSignIn } from '../client/sign-in'
import type { Position } from '../core/selection/position'
import { serverCode, sqlstate } from '../core/retry/sqlstate'
import { standing } from '../core/topology/candidates'
import type { HostKey, Observation } from '../core/topology/host'
import { hostRecord } from '../core/topology/state'
import { place } from '../execution/placement'
import type { Place, PlacementPort } from '../execution/placement'
import type { QueryCallback, QueryPort } from '../execution/run-query'
import { sessionReads } from '../execution/session-scope'
import type { SessionReads } from '../execution/session-scope'
import type { Blame } from '../pool/blame'
import { bindClient } from '../pool/bound-client'
import type { ClientOwner, Destination } from '../pool/bound-client'
import { Clients } from '../pool/clients'
import type { Destinations } from '../pool/destinations'
import type { Hearsay } from '../pool/hearsay'
import { ReaderPool } from '../pool/reader-pool'
import { Readers } from '../pool/readers'
import { Eligibility } from '../pool/eligibility'
import type { Roster } from '../pool/roster'
import { cutSocket, noteNews, sessionBegun, sessionOf } from '../pool/session'
import type { Session } from '../pool/session'
import { heedSignal } from '../pool/heed-signal'
import { handOut } from '../pool/held-client'
import { HostPositions } from '../pool/host-positions'
import { onRelease } from '../pool/on-release'
import { beginCall } from '../pool/ticket'
import type { Call, CheckoutCallback } from '../pool/ticket'
import { now } from '../runtime/clock'
import { createLog } from '../runtime/log'
import type { FailoverStory } from '../telemetry/failover-story'
import type { LivingTopology } from '../topology/living-topology'
import { afterOf, readRoute } from './read-request'
import { ReaderView } from './read-source'
import type { ReadSource } from './read-source'
import { refuseHeld } from './refusals'
import type { Settings } from './settings'

const log = createLog('pool')

/** What the reads of a pool that follows need of it. */
export interface ReadGround {
  readonly pool: pg.Pool
  /** The class that the clients of the pool are derived from. */
  readonly Base: typeof Client
  readonly follow: FollowOptions
  readonly settings: Settings
  readonly topology: LivingTopology
  readonly destinations: Destinations
  readonly roster: Roster
  readonly blame: Blame
  readonly hearsay: Hearsay
  readonly story: FailoverStory
  /** It has ended: nobody is connected any more. */
  readonly ended: () => boolean
  /** It has, or serves only those who were there before: nothing is sent again. */
  readonly ending: () => boolean
  /** The leader's position; waits for a leader. */
  askLeader(): Promise<Position | undefined>
  /** Begins to watch the hosts, if that has not begun. */
  start(): void
  /** Somebody waits for a host to read from now, or nobody does any more. */
  held(somebody: boolean): void
}

/** What a guessed read is told instead of waiting for a standby: whoever guessed sends it where all else goes. Never shown to anybody. */
export const noStandby = new Error('no standby serves reads')

/** The reads of a pool that follows: a pool of sessions for every host, and who goes where. */
export class Reads implements ReadSource {
  readonly #ground: ReadGround
  /** The sessions of all readers. */
  readonly clients = new Clients()
  readonly #eligibility: Eligibility
  readonly #placement: PlacementPort
  /** Which start of its server each host has told of last. */
  readonly #starts = new Map<HostKey, unknown>()
  readonly readers: Readers
  /** The class of clients that go to one of the readers by themselves. */
  readonly Client: typeof Client
  /** What marked statements run by. */
  readonly queries: QueryPort
  /** The same for those that mean something else on a standby: on the leader, and in a session that refuses to write there as well. */
  readonly #onLeader: QueryPort
  /** The same for those that nobody has marked: they wait for no standby. */
  readonly guessed: QueryPort
  readonly view = new ReaderView()

  constructor(ground: ReadGround) {
    this.#ground = ground
    const { settings, topology, blame } = ground
    this.#eligibility = new Eligibility(topology, settings.reads, () => ground.roster.tags)
    const eligibility = this.#eligibility
    this.readers = new Readers({
      limits: settings.limits,
      maxWaiting: settings.maxWaiting,
      loadBalance: settings.reads.loadBalance,
      hosts: () => eligibility.hosts,
      weight: (host) => ground.roster.host(host).weight,
      explain: () => eligibility.explain(),
      obstacle: () => ground.destinations.obstacle(),
      createPool: (host) => this.#createPool(host),
      blames: (error) => blame.of(error),
      ban: (host) => {
        log('%s would not have a reader: it is left alone for a while', host)
        eligibility.ban(host)
      },
      nextReturn: () => eligibility.nextReturn,
      held: (somebody) => ground.held(somebody),
    })
    this.Client = bindClient(ground.Base, this.#outsider())
    this.#placement = this.#createPlacement()
    this.queries = this.#createQueryPort((...given) => this.#attempt(...given))
    this.#onLeader = this.#createQueryPort((...given) => this.#attemptOnLeader(...given))
    this.guessed = this.#createQueryPort((call, text, values, callback) =>
      this.#attempt(call, text, values, callback, () => callback(noStandby)),
    )
  }

  /** Whether there is a standby to read from now. */
  get hasStandby(): boolean {
    return this.#eligibility.hasStandby
  }

  /** By what a statement runs that is a read: one that means something else on a standby by what the leader's do. */
  portFor(query: unknown): QueryPort | Error {
    const route = readRoute(query)
    if (route instanceof Error) return route
    return route === 'leader' ? this.#onLeader : this.queries
  }

  /** A client of one of the readers; of one that has come so far. */
  connect(call: Call, callback: CheckoutCallback, after?: Position): void {
    this.#ground.start()
    this.#connect(this.session(), after, call, handOut(callback))
  }

  /** Whoever refuses a caller does so in another context: from here on it is known in which session he is. */
  #connect(
    session: SessionReads | undefined,
    after: Position | undefined,
    call: Call,
    callback: CheckoutCallback,
  ): void {
    if (session === undefined && after === undefined) return this.readers.connect(call, callback)
    const go = (place: Place): void => {
      const { host, leads } = place
      const again = (): void => this.#connect(session, after, call, callback)
      const served: CheckoutCallback = (error, client, done) => {
        if (client !== undefined && !isProven(place, sessionBegun(client))) {
          client.release()
          return this.#prove(host, again)
        }
        const released = leads && client !== undefined ? session?.holds() : undefined
        if (released !== undefined && client !== undefined) onRelease(client, () => released(now(), undefined))
        callback(error, client, client === undefined ? done : client.release)
      }
      this.readers.connectOn(host, served, again)
    }
    this.#place(call, session, after, go, callback)
  }

  /** What is believed of the hosts has changed. */
  changed(): void {
    for (const host of this.readers.hosts) this.#mindHost(host)
    this.readers.changed()
  }

  /** Something else is said of the hosts, or there are others. */
  relisted(): void {
    this.#eligibility.relisted()
    this.readers.reweigh()
    this.readers.changed()
  }

  /** A host is on the list no more: what runs there is waited for, and nothing else is begun. */
  left(host: HostKey): void {
    this.#eligibility.forget(host)
    this.#placement.positions.forget(host)
    this.readers.leave(host)
    this.clients.retire((session) => session.host === host)
    this.clients.abortDials(this.#inVain(), host)
  }

  /** What a host has answered, or that it has not. */
  noted(host: HostKey, sentAt: number, answer: Observation | undefined): void {
    this.#eligibility.noted(host, sentAt, answer)
    if (answer !== undefined && answer.postmasterStartTime !== this.#starts.get(host)) {
      this.#starts.set(host, answer.postmasterStartTime)
      this.#placement.positions.forget(host)
    }
    if (this.readers.held > 0) this.readers.changed()
  }

  get pools(): readonly pg.Pool[] {
    return this.readers.pools
  }

  get held(): number {
    return this.readers.held
  }

  pause(): void {
    this.readers.pause()
  }

  resume(): void {
    this.readers.resume()
  }

  end(): Promise<void> | undefined {
    this.view.end()
    const ended = this.readers.end()
    this.clients.abortDials(this.#inVain())
    this.clients.closeIdle()
    return this.readers.pools.length === 0 ? undefined : ended
  }

  /** Where nobody answers, what runs there is sent to another host; what somebody holds is his until it fails by itself. */
  #mindHost(host: HostKey): void {
    const { state } = this.#ground.topology
    const record = hostRecord(state, host)
    // Somebody was sent there when it had left already.
    if (record === undefined) return this.left(host)
    const { type } = standing(state, record)
    const isHere = (session: Session): boolean => session.host === host
    if (record.suspectedAt !== undefined || record.answer === undefined) this.#placement.positions.forget(host)
    if (type === 'stale' || type === 'foreign') {
      this.clients.cut(host, Infinity, this.#inVain())
    } else if (record.failure !== undefined && record.answer === undefined) {
      this.clients.retire(isHere)
      this.clients.abortDials(this.#inVain(), host)
      for (const client of this.clients.busy) {
        const session = sessionBegun(client)
        if (session.onStatement && isHere(session)) cutSocket(client)
      }
    }
  }

  #inVain(): Error {
    return this.#ground.blame.put('nobody', new Error('this host is not one to read from now'))
  }

  #createQueryPort(attempt: QueryPort['attempt']): QueryPort {
    const ground = this.#ground
    let generation = 0
    return {
      attempt,
      stillSuitable: async ({ host }) => {
        await ground.topology.ask(host)
        return ground.topology.targets('any').includes(host)
      },
      // Another host may be another one at every attempt: there is no reason to wait in between.
      get generation() {
        return (generation += 1)
      },
      get ending() {
        return ground.ending()
      },
      story: ground.story,
      readOnly: true,
    }
  }

  /** `none`: there is no standby now; left out: one is waited for, or the leader steps in. */
  #attempt(call: Call, text: unknown, values: unknown, callback: QueryCallback, none?: () => void): void {
    if (none !== undefined && !this.hasStandby) return none()
    this.#ground.start()
    const session = this.session()
    const after = afterOf(text)
    if (after instanceof Error) return callback(after)
    if (session === undefined && after === undefined) return this.readers.attempt(call, text, values, callback, none)
    heedSignal(call, callback, none, (answer, orNone) =>
      this.#attemptIn(session, after, call, [text, values], answer, orNone),
    )
  }

  /** The same, of whoever has something to see; told to go elsewhere he is in another context, and in this session all the same. */
  #attemptIn(
    session: SessionReads | undefined,
    after: Position | undefined,
    call: Call,
    given: readonly unknown[],
    callback: QueryCallback,
    none?: () => void,
  ): void {
    if (none !== undefined && !this.hasStandby) return none()
    const again = (): void => this.#attemptIn(session, after, call, given, callback, none)
    const go = (place: Place): void => {
      const { host, leads } = place
      const tell: QueryCallback = (error, result) => {
        if (leads) session?.wrote(now())
        callback(error, result)
      }
      let isUnproven = false
      const fits = (of: Session): boolean => !(isUnproven = !isProven(place, of))
      this.readers.attemptOn(host, call, given, tell, () => (isUnproven ? this.#prove(host, again) : again()), fits)
    }
    this.#place(call, session, after, go, callback, none)
  }

  /** It is asked once more what a host is: a connection was made since it was asked last, maybe to a server that was started since. */
  #prove(host: HostKey, proven: () => void): void {
    void this.#ground.topology.ask(host).then(() => process.nextTick(proven))
  }

  #attemptOnLeader(call: Call, text: unknown, values: unknown, callback: QueryCallback): void {
    this.#ground.start()
    const again = (): void => this.#attemptOnLeader(call, text, values, callback)
    const leader = this.#placement.leader()
    if (leader !== undefined) return this.readers.attemptOn(leader, call, [text, values], callback, again)
    // Whoever asks it anything waits until there is one.
    this.#ground.askLeader().then(
      () => process.nextTick(again),
      (error: unknown) => process.nextTick(callback, error),
    )
  }

  /** Finds the place for a read that has something to see. */
  #place(
    call: Call,
    session: SessionReads | undefined,
    after: Position | undefined,
    go: (place: Place) => void,
    fail: (error: Error) => void,
    none?: () => void,
  ): void {
    const found = (at: Place | undefined): void => {
      if (at !== undefined) return go(at)
      if (none !== undefined) return none()
      this.readers.whenAvailable(call, (error) => {
        if (error === undefined) this.#place(call, session, after, go, fail)
        else fail(error)
      })
    }
    place(this.#placement, session, after).then(
      (at) => process.nextTick(found, at),
      (error: unknown) => process.nextTick(fail, error),
    )
  }

  /** What the session that the code is in has to see of this pool; undefined where nothing is asked of it. */
  session(): SessionReads | undefined {
    return this.#ground.settings.consistency === 'session' ? sessionReads(this.#ground.pool) : undefined
  }

  #createPlacement(): PlacementPort {
    const { topology, settings } = this.#ground
    const eligibility = this.#eligibility
    const positions = new HostPositions(
      (host, query) => this.#ask(host, query),
      (host) => this.readers.spare(host) >= 2,
    )
    return {
      positions,
      waitMillis: settings.reads.consistencyWaitMillis,
      hosts: () => eligibility.hosts,
      pick: () => this.readers.pick(),
      leader: () => topology.targets('read-write')[0],
      timeline: () => topology.state.leader?.timeline ?? topology.state.highestTimeline,
      startOf: (host) => {
        const record = hostRecord(topology.state, host)
        return record?.suspectedAt === undefined ? record?.answer?.postmasterStartTime : undefined
      },
      knownAt: (host) => hostRecord(topology.state, host)?.at ?? -Infinity,
      askLeader: () => this.#ground.askLeader(),
    }
  }

  /** One question to a host, over a session of its readers. */
  #ask(host: HostKey, query: object): Promise<{ readonly rows: readonly Record<string, string | null>[] }> {
    return new Promise((resolve, reject) => {
      this.readers.attemptOn(
        host,
        beginCall(now()),
        [query, undefined],
        (error, result) => (error ? reject(error) : resolve(result as never)),
        () => reject(new Error('it could not be connected to')),
      )
    })
  }

  #createPool(host: HostKey): ReaderPool {
    const { pool, settings, hearsay, Base } = this.#ground
    const { options } = pool
    const own = {
      max: settings.reads.max ?? options.max,
      Client: bindClient(
        Base,
        this.#owner(() => this.#to(host)),
      ),
    }
    return new ReaderPool(copyOptions(options, own), {
      clients: this.clients,
      aliveCheckMillis: settings.aliveCheckMillis,
      aliveTimeoutMillis: settings.times.timeoutMillis,
      dead: (session) => hearsay.suspect(session.host, 'an idle client did not answer'),
      inVain: () => this.#inVain(),
      heard: (event, args) => this.view.heard(event, args),
    })
  }

  /** Of a client that somebody makes of the view's class: it finds a host by itself, and waits until there is one. */
  #outsider(): ClientOwner {
    return {
      ...this.#owner(() => {
        const host = this.readers.pick()
        return host === undefined ? this.#inVain() : this.#to(host)
      }),
      isAwaited: () => false,
      whenAvailable: () =>
        new Promise((resolve, reject) => {
          this.#ground.start()
          const told = (error?: Error): void => (error === undefined ? resolve() : reject(error))
          this.readers.whenAvailable(beginCall(now()), told)
        }),
    }
  }

  #owner(to: () => Destination | Error): ClientOwner {
    const { blame, hearsay } = this.#ground
    return {
      destination: () => (this.#ground.ended() ? this.#inVain() : to()),
      isAwaited: () => true,
      whenAvailable: () => Promise.resolve(),
      stillWanted: () => !this.#ground.ended(),
      opened: (session) => {
        log('connected to %s, to read', session.host)
        session.reads = true
        this.clients.opened(session)
      },
      failed: (failed, error) => {
        if (!blame.isPut(error)) hearsay.dialFailed(failed, error, !this.#ground.ended())
      },
      late: (error) => blame.put('nobody', error),
      news: (session, news) => this.#news(session, news),
      // Of a statement of the pool's own that was found out before.
      intercept: (client, args) => (sessionOf(client)?.onStatement === true ? undefined : refuseHeld(client, args)),
      unheard: (error) => this.view.unheard(error),
    }
  }

  #news(session: Session, news: SessionNews): void {
    // That it refuses to write is what such a session is for.
    const isRefusal = news.type === 'error' && serverCode(news.error) === sqlstate.readOnlySqlTransaction
    if (isRefusal) noteNews(session, news, now())
    else this.#ground.hearsay.news(session, news)
    if (news.type === 'end') this.clients.lost(session)
  }

  #to(host: HostKey): Destination | Error {
    const { follow, topology, roster } = this.#ground
    const { generation } = topology.state
    if (hostRecord(topology.state, host) === undefined) return this.#inVain()
    try {
      return {
        host,
        generation: () => generation,
        signIn: prepareSignIn(() => boundToOneHost(readOnlySession(follow.clientOptions(roster.host(host))))),
        timeoutMillis: follow.connectTimeoutMillis ?? defaultConnectTimeoutMillis,
        // It may be promoted while it is dialled: what reads there is refused nothing but writes.
        accept: () => undefined,
        dialling: (abort) => this.clients.dialling(host, abort),
      }
    } catch (error) {
      return error as Error
    }
  }
}

/** Whether what was found out of a host holds of the server at the other end of this connection. */
function isProven({ knownAt }: Place, { begunAt }: Session): boolean {
  return begunAt < knownAt
}

/** With what keeps its session from writing. */
function readOnlySession(options: ClientConfig): ClientConfig {
  return Object.assign(options, { options: guardedOptions(options.options) })
}
