import { AsyncResource } from 'node:async_hooks'
import type pg from 'pg'
import type { Client } from 'pg'
import type { FollowOptions } from '../client/conninfo/follow-options'
import type { SessionNews } from '../client/session-news'
import { prepareSignIn } from '../client/sign-in'
import type { TopologyEffect } from '../core/topology/effects'
import type { Position } from '../core/selection/position'
import type { HostKey } from '../core/topology/host'
import { primary, scopeNow } from '../execution/read-scope'
import { runQueryPromise } from '../execution/run-query'
import type { QueryPort } from '../execution/run-query'
import { outsideSession } from '../execution/session-scope'
import type { TransactionPort } from '../execution/transaction'
import { Probe } from '../monitor/probe'
import { Blame } from '../pool/blame'
import { bindClient, hearErrors } from '../pool/bound-client'
import type { ClientOwner } from '../pool/bound-client'
import { Checkout } from '../pool/checkout'
import type { Clients } from '../pool/clients'
import { longestHold } from '../pool/deadlines'
import { Destinations } from '../pool/destinations'
import { Hearsay } from '../pool/hearsay'
import { Listening } from '../pool/listening'
import { positionQuestion, readPosition } from '../pool/host-positions'
import { isMarkedText } from '../pool/marked-text'
import { sessionBegun } from '../pool/session'
import type { Session } from '../pool/session'
import type { ListenHandler, Subscription } from '../pool/subscription'
import { Waiters } from '../pool/waiters'
import { beginCall } from '../pool/ticket'
import type { Call, CheckoutCallback } from '../pool/ticket'
import { now } from '../runtime/clock'
import { createLog } from '../runtime/log'
import { FailoverStory } from '../telemetry/failover-story'
import { LivingTopology } from '../topology/living-topology'
import type { TopologySnapshot } from '../topology/snapshot'
import { GuessedReads } from './guessed-reads'
import type { InheritedPool } from './inherited-pool'
import { followingListenPort } from './listen-port'
import { Reads } from './reads'
import type { Settings } from './settings'
import { createProving } from './proving'
import type { Proving } from './proving'
import { concludeSoon } from './conclusion'
import type { ConclusionPort } from './conclusion'
import { holding } from './holding'
import { leaderCheckoutPort } from './leader-checkout'
import { createTransactionPort } from './transaction-port'
import { leaderOutside, witnessCommits } from './witness-commits'

const log = createLog('pool')

/** A pool that follows: binds the topology, the door and the attempts to one pg-pool, the leader's. */
export class Following {
  readonly #pool: pg.Pool
  readonly #inherited: InheritedPool
  readonly #follow: FollowOptions
  readonly #blame = new Blame()
  readonly #destinations: Destinations
  readonly #hearsay: Hearsay
  readonly #story: FailoverStory
  readonly #conclusion: ConclusionPort
  readonly #timeoutMillis: number
  readonly #longestHold: number
  readonly #waiters: Waiters
  readonly #waiting = new Set<'writers' | 'readers'>()
  /** What the pool does and tells by itself is done in the context it was made in, not in that of some caller. */
  readonly #context = new AsyncResource('pg-leader.pool', { requireManualDestroy: true })
  readonly #proving: Proving
  #nextCall: Call | undefined
  #identity: string | undefined
  #historySince = 0
  #started = false
  #ending = false
  #drained: (() => void) | undefined

  readonly clients: Clients
  readonly topology: LivingTopology
  readonly checkout: Checkout
  /** What `pool.query` runs by. */
  readonly queries: QueryPort
  /** What `pool.transaction` runs by. */
  readonly transactions: TransactionPort
  /** What reads run by. */
  readonly reads: Reads
  /** Those that nobody has marked; undefined: none of them is one. */
  readonly guessed: GuessedReads | undefined
  /** What `pool.listen` runs by. */
  readonly listening: Listening
  /** The class of this pool's clients: what `pool.Client` is to be. */
  readonly Client: typeof Client

  constructor(pool: pg.Pool, clients: Clients, follow: FollowOptions, settings: Settings, inherited: InheritedPool) {
    this.#pool = pool
    this.clients = clients
    this.#follow = follow
    this.#inherited = inherited
    this.#timeoutMillis = settings.times.timeoutMillis
    this.#longestHold = longestHold(settings.limits)
    this.#story = new FailoverStory((event) => {
      log('failover from %s to %s, which is over now: %o', event.from, event.to, event)
      this.#announce('failover', event)
    })
    this.topology = new LivingTopology(
      {
        hosts: follow.hosts.map(({ key }) => key),
        targetSessionAttrs: follow.targetSessionAttrs,
        times: settings.times,
        lockoutMillis: this.#longestHold,
        authority: settings.authority,
        findHost: (host, port) => this.#destinations.find(host, port),
        createProbe: (key, lost) => this.#createProbe(key, lost),
        noted: (host, sentAt, answer) => this.reads.noted(host, sentAt, answer),
      },
      (effect) => this.#perform(effect),
    )
    this.#destinations = new Destinations(follow, this.topology, clients, this.#blame)
    this.#hearsay = new Hearsay(this.topology, this.#blame, () => this.checkout.update())
    this.#waiters = new Waiters({
      available: () => this.#destinations.available,
      ending: () => this.#ending,
      none: () => this.#destinations.none(),
      longestHold: this.#longestHold,
    })
    const known = { pool, inherited, follow, settings, clients, topology: this.topology, blame: this.#blame }
    const ground = { ...known, destinations: this.#destinations, hearsay: this.#hearsay }
    const port = leaderCheckoutPort({ ...ground, held: (somebody) => this.#held('writers', somebody) })
    this.checkout = new Checkout(port, clients, this.#story)
    this.queries = this.#createQueryPort()
    const outside = leaderOutside(() => new this.Client(this.#pool.options))
    this.#proving = createProving(settings.outcome, () => (this.#destinations.available ? outside() : nobodyLeads()))
    this.transactions = this.#createTransactionPort()
    this.#conclusion = {
      story: this.#story,
      transactions: this.transactions,
      generation: () => this.topology.state.generation,
      ending: () => this.#ending,
    }
    const { Client: Base } = pool as unknown as { Client: typeof Client }
    this.Client = bindClient(Base, {
      ...this.#clientOwner(),
      ...(settings.outcome !== undefined && witnessCommits(this.transactions, outside, this.#timeoutMillis)),
    })
    this.listening = this.#createListening(Base, settings)
    this.reads = new Reads({
      ...ground,
      Base,
      story: this.#story,
      ended: () => this.#ending,
      ending: () => this.#isEnding(),
      start: () => this.#start(),
      held: (somebody) => this.#held('readers', somebody),
      askLeader: () => this.askPosition(),
    })
    const { parser } = settings.reads
    this.guessed = parser && new GuessedReads(parser, this.reads, () => this.transactions.scope.inside)
  }

  /** The leader's position, asked for now; undefined if its server does not tell. Waits for a leader. */
  async askPosition(): Promise<Position | undefined> {
    const question = { ...positionQuestion, readOnly: true }
    const asked = outsideSession(() => primary(() => runQueryPromise(this.queries, question, undefined)))
    const { rows } = (await asked) as { readonly rows: readonly Readonly<Record<string, string | null>>[] }
    return readPosition(rows[0])
  }

  /** Whoever waits has the hosts asked at the quick rhythm. */
  #held(who: 'writers' | 'readers', somebody: boolean): void {
    if (somebody) this.#waiting.add(who)
    else this.#waiting.delete(who)
    this.topology.somebodyWaits = this.#waiting.size > 0
  }

  /** Its session is not one of pg-pool's: nobody is handed it, nobody waits for it to come back, and it goes to the leader. */
  #createListening(Base: typeof Client, settings: Settings): Listening {
    const own = {
      destination: () => this.#destinations.leader(),
      whenAvailable: () => Promise.resolve(),
      stillWanted: (host: HostKey, generation: number) => !this.#ending && this.#destinations.leads(host, generation),
      opened: ({ host }: Session) => log('listening on %s', host),
      news: (session: Session, news: SessionNews) => this.#hearsay.news(session, news),
    }
    const ground = { pool: this.#pool, follow: this.#follow, settings, topology: this.topology }
    const LeaderClient = bindClient(Base, { ...this.#clientOwner(), ...own })
    const port = { ...ground, destinations: this.#destinations, blame: this.#blame, Client: LeaderClient }
    return new Listening(followingListenPort(port))
  }

  #createProbe(key: HostKey, lost: (why: string) => void): Probe {
    const options = (): pg.ClientConfig => this.#follow.clientOptions(this.#destinations.host(key))
    return new Probe(key, () => prepareSignIn(options), lost)
  }

  /** `pool.connect(callback)`. */
  connect(callback: CheckoutCallback): void {
    const own = this.#nextCall
    this.#nextCall = undefined
    const call = own ?? beginCall(now())
    // Of what a statement is sent by that is not a read it is not asked.
    if (own === undefined && scopeNow() === 'reads') return this.reads.connect(call, callback)
    this.#start()
    this.topology.mindLease()
    const session = this.reads.session()
    this.checkout.enter(call, session === undefined ? callback : holding(session, callback))
    // What was wrong with the caller may have been mended since.
    if (this.checkout.held > 0 && this.topology.callerFault !== undefined) this.topology.askAll()
  }

  /** `pool.listen`. */
  listen(channel: string, handler: ListenHandler): Promise<Subscription> {
    this.#start()
    if (this.topology.callerFault !== undefined) this.topology.askAll()
    return this.listening.listen(channel, handler)
  }

  /**
   * Before the end: those whom pg-pool would serve still, since it is connecting for them, are served. `drained` is called
   * when the last of them has a client, or when none is to be had. False if there is nobody to wait for.
   */
  drain(drained: () => void): boolean {
    const { waiting, paused } = this.checkout
    if (waiting === 0 || paused || !this.#mayServe()) return false
    const { totalCount, idleCount, options } = this.#pool
    const connecting = totalCount - idleCount - this.clients.handedOut
    this.#drained = drained
    this.checkout.drain(this.#destinations.available ? connecting : options.max, drained)
    return true
  }

  /** Nobody has led yet, and not every host has spoken. */
  #isFirstLook(): boolean {
    const { generation, hosts } = this.topology.state
    return generation === 0 && hosts.some((host) => host.answer === undefined && host.failure === undefined)
  }

  #mayServe(): boolean {
    return this.#destinations.available || this.#isFirstLook()
  }

  /** Those who were to be served still cannot be. */
  #mindDraining(): void {
    if (this.#drained !== undefined && !this.#ending && !this.#mayServe()) process.nextTick(this.#drained)
  }

  /** Answers everybody who waits and lets go of every timer and socket of ours; pg-pool's own `end` follows. */
  end(): Promise<void> | undefined {
    this.#ending = true
    this.#story.conclude()
    this.checkout.end()
    this.#waiters.check()
    this.listening.end()
    this.#proving.end()
    this.topology.stop()
    // pg-pool, which knows of no end yet, dials at once for the next one in its queue.
    this.clients.abortDials(this.#inVain())
    this.clients.closeIdle()
    return this.reads.end()
  }

  #inVain(): Error {
    return this.#blame.put('nobody', new Error('the pool is ending'))
  }

  get snapshot(): TopologySnapshot {
    return this.topology.snapshot
  }

  #createQueryPort(): QueryPort {
    const topology = this.topology
    const isEnding = (): boolean => this.#isEnding()
    return {
      attempt: (call, text, values, callback) => {
        this.#withCall(call, () =>
          isMarkedText(text)
            ? this.#inherited.query(text.text, values || text.values, callback)
            : this.#inherited.query(text, values, callback),
        )
      },
      stillSuitable: (session) => this.#stillSuitable(session),
      get generation() {
        return topology.state.generation
      },
      get ending() {
        return isEnding()
      },
      story: this.#story,
    }
  }

  #createTransactionPort(): TransactionPort {
    const pool = this.#pool
    const topology = this.topology
    const isEnding = (): boolean => this.#isEnding()
    const historySince = (): number => this.#historySince
    const source = {
      connect: (call: Call, callback: CheckoutCallback) => this.#withCall(call, () => pool.connect(callback as never)),
      connectReader: (call: Call, callback: CheckoutCallback) => this.reads.connect(call, callback),
      session: sessionBegun,
    }
    return createTransactionPort(source, {
      stillSuitable: (session) => this.#stillSuitable(session),
      get evidence() {
        return topology.evidence
      },
      get timeline() {
        return topology.highestTimeline
      },
      get ending() {
        return isEnding()
      },
      get historySince() {
        return historySince()
      },
      lookUpMillis: this.#longestHold,
      story: this.#story,
      proof: this.#proving.proof,
    })
  }

  #isEnding(): boolean {
    return this.#ending || this.#drained !== undefined
  }

  async #stillSuitable(session: Session): Promise<boolean> {
    if (session.reads) return this.reads.queries.stillSuitable(session)
    await this.topology.ask(session.host)
    return this.#destinations.suits(session)
  }

  /** What `act` asks `connect` for is asked for this call. */
  #withCall(call: Call, act: () => void): void {
    this.#nextCall = call
    act()
    // An instrumentation that does not come to `connect` at once must not lend this call to another one.
    this.#nextCall = undefined
  }

  #start(): void {
    if (this.#started) return
    this.#started = true
    this.#context.runInAsyncScope(() => this.topology.start())
  }

  #clientOwner(): ClientOwner {
    return {
      destination: () => (this.#ending ? this.#inVain() : this.#destinations.next()),
      isAwaited: () => this.checkout.requests > 0,
      whenAvailable: () => {
        this.#start()
        return this.#waiters.whenAvailable()
      },
      stillWanted: (host, generation) => !this.#ending && this.#destinations.isStillWanted(host, generation),
      opened: (session) => {
        log('connected to %s', session.host)
        this.clients.opened(session)
      },
      failed: (host, error) => this.#dialFailed(host, error),
      late: (error) => this.#blame.put('nobody', error),
      news: (session, news) => {
        this.#hearsay.news(session, news)
        if (news.type === 'end') this.clients.lost(session)
      },
      unheard: (error) => this.#unheard(error),
    }
  }

  /** Clients that were connected before this pool followed: they must not end the process either. */
  takeOver(clients: readonly Client[], busy: readonly Client[]): void {
    for (const client of clients) hearErrors(client, (error) => this.#unheard(error))
    for (const client of busy) this.clients.acquired(client)
  }

  #unheard(error: unknown): void {
    log('an error event that nobody listens to: %s', messageOf(error))
  }

  #dialFailed(host: HostKey, error: Error): void {
    if (this.#blame.isPut(error)) return
    // Whoever dials in advance of a promotion has to reckon with a refusal.
    if (this.#destinations.inAdvance.isWaitingOn(host)) this.#blame.put('nobody', error)
    else this.#hearsay.dialFailed(host, error, !this.#ending)
  }

  #perform(effect: TopologyEffect): void {
    this.#act(effect)
    this.#mindDraining()
  }

  #act(effect: TopologyEffect): void {
    switch (effect.type) {
      case 'leader-lost':
        this.#hearsay.doubt(effect.leader.key)
        this.#story.lost(effect.at)
        this.checkout.update()
        break
      case 'retire':
        this.clients.retire((session) => session.host === effect.host)
        break
      case 'cut':
        this.#cut(effect.host, effect.generation)
        break
      case 'leader-ready': {
        const { leader, from, changed } = effect
        const { generation, systemIdentifier = this.#identity } = this.topology.state
        if (this.#identity !== undefined && systemIdentifier !== this.#identity) this.#historySince = generation
        this.#identity = systemIdentifier
        // Who was held is released at the moment at which the story has a leader again.
        const at = now()
        if (changed) this.checkout.forgetFailures()
        if (changed && from !== undefined) this.#story.elected(from, leader, generation, at)
        else this.#story.clear()
        this.#destinations.inAdvance.recheckAll()
        this.checkout.update(at)
        this.listening.changed()
        concludeSoon(this.#conclusion)
        break
      }
      case 'history-replaced':
        this.#historySince = this.topology.state.generation
        process.emitWarning(
          `another history is followed from now on, since nothing else answered for so long or it was told to be ours: ` +
            `system identifier ${effect.identity ?? 'unknown'}, timeline ${effect.timeline ?? 'unknown'}`,
          { type: 'PgLeaderWarning', code: 'PG_LEADER_HISTORY_REPLACED' },
        )
        break
      case 'split-brain':
        this.#announce(
          'splitBrain',
          Object.freeze({ hosts: effect.hosts, leader: this.topology.state.leader?.key }),
          () =>
            process.emitWarning(`${effect.hosts.join(' and ')} all claim the lead, on one timeline`, {
              type: 'PgLeaderWarning',
              code: 'PG_LEADER_SPLIT_BRAIN',
            }),
        )
        break
      case 'publish':
        this.checkout.update()
        this.reads.changed()
        this.#waiters.check()
        this.#retireUnsuitable()
        this.#announce('topology', this.topology.snapshot)
        break
      case 'caller-fault':
        this.#failCallers()
        break
      case 'ask':
      case 'ask-authority':
        break
      default:
        effect satisfies never
    }
  }

  /** Roles change: a client of a standby that was promoted is not what a pool of standbys wants. */
  #retireUnsuitable(): void {
    if (this.#destinations.available) this.clients.retire((session) => !this.#destinations.suits(session))
  }

  /** Where waiting cannot help, nobody is kept waiting: they get the server's own error. */
  #failCallers(): void {
    const fault = this.topology.callerFault
    if (fault === undefined) return
    this.listening.refuse(fault.failure.error as Error)
    this.reads.readers.failAll(fault.failure.error as Error)
    if (this.checkout.held === 0) return
    log('%s: %s; this is about the caller, nobody is held for it', fault.host, fault.failure.reason)
    this.checkout.failAll(() => fault.failure.error as Error)
  }

  #cut(key: HostKey, generation: number): void {
    const { host, hostaddr, port } = this.#destinations.host(key)
    const isOnHost = (client: Client): boolean =>
      (client.host === host || client.host === hostaddr) && client.port === port
    this.listening.cut((session) => session.host === key && session.generation <= generation)
    this.clients.cut(key, generation, this.#blame.put('nobody', new Error(`${key} does not lead any more`)), isOnHost)
  }

  /** Tells listeners when our own work is done: what they throw is theirs, as it is with any emitter. `unheard`: there is none. */
  #announce(event: 'failover' | 'splitBrain' | 'topology', detail: unknown, unheard?: () => void): void {
    process.nextTick(() => {
      const isHeard = this.#context.runInAsyncScope(() => this.#inherited.emit(event, detail))
      if (!isHeard) unheard?.()
    })
  }
}

async function nobodyLeads(): Promise<never> {
  throw new Error('nobody leads')
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
