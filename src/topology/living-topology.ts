import type { TargetSessionAttrs } from '../core/selection/target-session-attrs'
import { addReport, noEvidence } from '../core/outcome/evidence'
import type { Evidence } from '../core/outcome/evidence'
import { refusalOf } from '../core/retry/connect-failure'
import { serverCode, sqlstate } from '../core/retry/sqlstate'
import { callerFault, explain } from '../core/topology/explain'
import { planEffects } from '../core/topology/effects'
import type { TopologyEffect } from '../core/topology/effects'
import type { TopologyEvent } from '../core/topology/events'
import type { Failure, HostKey, Observation } from '../core/topology/host'
import { reduceTopology } from '../core/topology/reduce'
import { hostRecord, initialTopology, leaderSuspected } from '../core/topology/state'
import type { TopologyState } from '../core/topology/state'
import { targets } from '../core/topology/targets'
import type { Authority } from '../discovery/authority'
import { Monitor } from '../monitor/monitor'
import type { AuthorityResult } from '../discovery/authority-probe'
import type { Probe, ProbeResult } from '../monitor/probe'
import { now } from '../runtime/clock'
import { createLog } from '../runtime/log'
import { random } from '../runtime/random'
import { after } from '../runtime/timer'
import { consult } from './consult'
import { DecisionTimer } from './decision-timer'
import { takeSnapshot } from './snapshot'
import type { TopologySnapshot } from './snapshot'

const log = createLog('topology')

/** How long, at the start, the other hosts are waited for once one could lead. */
const settleMillis = 100

/** While there is no leader: between two questions over a session that stands, and while somebody waits for the answer. */
const parkedIntervalMillis = 10
const awaitedIntervalMillis = 3

/**
 * What a pool asks all its hosts together, however many there are: a long list must not become a storm of connections, nor
 * keep this process from its own work. Up to ten hosts nothing is slowed down by that.
 */
const leastMillisBetweenAttempts = 2.5
const leastMillisBetweenQuestions = 0.3
/** So many hosts are asked at once at the start; the others follow one by one. */
const atOnce = 32

/** How long hosts are asked at the quick rhythm for want of a leader, although nobody waits for one. */
const urgentMillis = 5000

/** Times of the monitors, in milliseconds. */
export interface MonitorTimes {
  /** Between two questions to one host while all is well. Infinity: ask only when something happened. */
  readonly intervalMillis: number
  /** The same while there is no leader, or somebody waits: between two attempts to connect, at the least. */
  readonly leaderlessIntervalMillis: number
  /** How long a host may take to answer before it counts as lost. */
  readonly timeoutMillis: number
}

export interface LivingTopologyOptions {
  readonly hosts: readonly HostKey[]
  /** What sessions are wanted: while a host will do for them, the want of a leader is nothing urgent. */
  readonly targetSessionAttrs: TargetSessionAttrs
  readonly times: MonitorTimes
  /** How long another identity must be all that answers before it is believed. */
  readonly lockoutMillis: number
  /** Makes the prober of one host; `lost` tells that its parked session ended. */
  readonly createProbe: (host: HostKey, lost: (why: string) => void) => Probe
  /** Has to confirm the leader, if there is one. */
  readonly authority?: Authority | undefined
  /** Told of every answer, and of every question that was not answered, when the state takes account of it. */
  readonly noted?: (host: HostKey, sentAt: number, answer: Observation | undefined) => void
  /** Which host of the list an authority means. */
  readonly findHost?: (host: string, port: number) => HostKey | undefined
}

/** Performs effects; called after the state has changed, in the order of the effects. */
export type EffectListener = (effect: TopologyEffect) => void

/**
 * The topology at work: monitors and everybody who notices something send events, the pure reducer makes the next state
 * of them, and the effects that follow are performed here and by the listener.
 */
export class LivingTopology {
  #state: TopologyState
  #evidence = noEvidence
  #snapshot: TopologySnapshot | undefined
  /** Asked at every checkout, so worked out once a state. */
  readonly #targets = new Map<TargetSessionAttrs, readonly HostKey[]>()
  readonly #options: LivingTopologyOptions
  readonly #monitors = new Map<HostKey, Monitor<ProbeResult>>()
  readonly #authority: Monitor<AuthorityResult> | undefined
  readonly #decision = new DecisionTimer((event) => this.dispatch(event))
  readonly #listener: EffectListener
  #started = false
  #startedAt = 0
  #stopped = false
  #somebodyWaits = false
  /** The leader is slow to answer. */
  #uneasy = false

  constructor(options: LivingTopologyOptions, listener: EffectListener) {
    this.#options = options
    this.#listener = listener
    this.#state = initialTopology(options.hosts, {
      lockoutMillis: options.lockoutMillis,
      settleMillis,
      authority: options.authority?.name,
    })
    this.#authority =
      options.authority &&
      consult(options.authority, options, {
        state: () => this.#state,
        patience: () => this.#patience(),
        dispatch: (event) => this.dispatch(event),
      })
  }

  get state(): TopologyState {
    return this.#state
  }

  /** What was seen that may tell the fate of a COMMIT. */
  get evidence(): Evidence {
    return this.#evidence
  }

  /** Whoever is primary on a lower one has been left by history. */
  get highestTimeline(): number | undefined {
    return this.#state.highestTimeline
  }

  get snapshot(): TopologySnapshot {
    return (this.#snapshot ??= takeSnapshot(this.#state, () => this.dispatch({ type: 'reset', at: now() })))
  }

  /** Begins to ask; the first caller of a pool does this. */
  start(): void {
    if (this.#started || this.#stopped) return
    this.#started = true
    this.#startedAt = now()
    this.#authority?.wake()
    this.#begin(this.#state.hosts.map(({ key }) => key))
  }

  /** Begins to ask these hosts. */
  #begin(hosts: readonly HostKey[]): void {
    hosts.forEach((key, place) => {
      const monitor = this.#monitors.get(key) ?? this.#watch(key)
      const wait = (place - atOnce) * leastMillisBetweenAttempts
      if (wait < 0) monitor.wake()
      else after(wait, () => monitor.wake())
    })
  }

  /** Asks a host that has left nothing any more. */
  #leave(host: HostKey): void {
    const { leader, lastLeader } = this.#state
    // What is seen of the last leader may tell the fate of a COMMIT: until there is another one it is watched.
    if (leader === undefined && lastLeader?.key === host) return
    this.#monitors.get(host)?.stop()
    this.#monitors.delete(host)
    // Nobody sees any more what becomes of it: should it come back, that proves nothing of the time between.
    this.#evidence = addReport(this.#evidence, host, { type: 'failed', receivedAt: now() })
  }

  stop(): void {
    this.#stopped = true
    this.#decision.cancel()
    this.#authority?.stop()
    for (const monitor of this.#monitors.values()) monitor.stop()
  }

  /** Hosts a session with these attributes may go to now. */
  targets(attrs: TargetSessionAttrs): readonly HostKey[] {
    let known = this.#targets.get(attrs)
    if (known === undefined) this.#targets.set(attrs, (known = targets(this.#state, attrs)))
    return known
  }

  /** Per host, why such a session does not go there. */
  explain(attrs: TargetSessionAttrs): readonly { readonly host: HostKey; readonly reason: string }[] {
    return explain(this.#state, attrs)
  }

  /**
   * Before somebody is sent to the leader: its lease may have run out while this process was blocked, and the timer that ends
   * it has not come round yet.
   */
  mindLease(): void {
    if (this.#authority !== undefined) this.#decision.catchUp()
  }

  /** Set while waiting cannot help: the hosts refuse our credentials or database. */
  get callerFault(): { readonly host: HostKey; readonly failure: Failure } | undefined {
    const host = callerFault(this.#state)
    const failure = host === undefined ? undefined : hostRecord(this.#state, host)?.failure
    return host === undefined || failure === undefined ? undefined : { host, failure }
  }

  /** Somebody lost a connection to this host, or heard it say that it ends. It is not used until it has answered again. */
  suspect(host: HostKey, why: string): void {
    if (this.#stopped) return
    const before = this.#state
    this.dispatch({ type: 'suspected', host, at: now() })
    if (this.#state !== before) log('%s is in doubt: %s', host, why)
    this.#monitors.get(host)?.wake()
  }

  /** Asks one host; resolves when its answer to a question sent from now on is known. */
  async ask(host: HostKey): Promise<void> {
    await this.#monitors.get(host)?.fresh()
  }

  /** Asks every host at once. */
  askAll(): void {
    for (const monitor of this.#monitors.values()) monitor.wake()
  }

  /** While somebody waits for a host, all are asked at the quick rhythm. */
  set somebodyWaits(waits: boolean) {
    if (waits === this.#somebodyWaits) return
    this.#somebodyWaits = waits
    if (waits) this.#rescheduleAll()
  }

  /** Takes one event: reduces, then performs what follows. */
  dispatch(event: TopologyEvent): void {
    if (this.#stopped) return
    // News that comes after a lease has run out must not find it standing, only because its timer is late.
    if (event.type !== 'tick' && event.type !== 'stalled') this.mindLease()
    const before = this.#state
    const next = reduceTopology(before, event)
    if (next === before) return
    this.#state = next
    this.#snapshot = undefined
    this.#targets.clear()
    const isRearmed = event.type === 'tick' || event.type === 'stalled'
    if (next.decideAt !== before.decideAt || isRearmed) this.#decision.arm(next.decideAt, next.stalledUntil)
    const effects = planEffects(before, next)
    if (this.#started) this.#begin(effects.flatMap((effect) => (effect.type === 'joined' ? [effect.host] : [])))
    for (const effect of effects) this.#perform(effect)
  }

  #perform(effect: TopologyEffect): void {
    switch (effect.type) {
      case 'leader-lost':
        log('%s is %s', effect.leader.key, effect.suspected ? 'in doubt: callers are held' : 'lost: there is no leader')
        this.#rescheduleAll()
        break
      case 'leader-ready':
        for (const host of this.#monitors.keys()) if (hostRecord(this.#state, host) === undefined) this.#leave(host)
        log(
          'leader is %s, timeline %s, generation %d%s',
          effect.leader.key,
          effect.leader.timeline ?? 'unknown',
          this.#state.generation,
          effect.changed ? '' : ' (as before)',
        )
        break
      case 'ask':
        this.#monitors.get(effect.host)?.wake()
        break
      case 'ask-authority':
        this.#authority?.wake()
        break
      case 'joined':
        log('%s is on the list now', effect.host)
        break
      case 'left':
        log('%s is not on the list any more', effect.host)
        this.#leave(effect.host)
        break
      case 'history-replaced': {
        const { identity, timeline } = effect
        // What was seen of the other one proves nothing here.
        this.#evidence = noEvidence
        log('another history counts as ours now: system identifier %s, timeline %s', identity, timeline)
        break
      }
      case 'split-brain':
        log('split brain: %s claim the lead on one timeline', effect.hosts.join(', '))
        break
      case 'cut':
      case 'retire':
      case 'caller-fault':
      case 'publish':
        break
      default:
        effect satisfies never
    }
    this.#listener(effect)
  }

  /** Where nobody waits, a cluster that is without a leader for long is asked less and less often. */
  #patience(): number {
    if (this.#somebodyWaits || this.#uneasy || this.#state.leader !== undefined) return 0
    const leaderlessMillis = now() - (this.#state.leaderlessSince ?? this.#startedAt)
    if (leaderlessMillis < urgentMillis) return 0
    return Math.min(this.#options.times.intervalMillis, leaderlessMillis / 50)
  }

  #rescheduleAll(): void {
    this.#authority?.reschedule()
    for (const monitor of this.#monitors.values()) monitor.reschedule()
  }

  #watch(key: HostKey): Monitor<ProbeResult> {
    const probe = this.#options.createProbe(key, (why) => this.suspect(key, `the monitor's session ended: ${why}`))
    const monitor = new Monitor(
      key,
      probe,
      {
        intervalMillis: (host, last) => this.#interval(host, last),
        report: (host, sentAt, result) => this.#report(host, sentAt, result),
        slow: (host) => this.#slow(host),
      },
      this.#options.times.timeoutMillis,
    )
    this.#monitors.set(key, monitor)
    return monitor
  }

  /** The leader keeps us waiting: should another one have been promoted, that is wanted to be known at once. */
  #slow(host: HostKey): void {
    if (host !== this.#state.leader?.key || this.#uneasy) return
    log('%s is slow to answer: the others are asked', host)
    this.#uneasy = true
    this.#rescheduleAll()
  }

  #report(host: HostKey, sentAt: number, result: ProbeResult): void {
    if (host === this.#state.leader?.key) this.#uneasy = false
    const times = { sentAt, receivedAt: now() }
    if (result.ok) {
      // Before it has consequences: whoever asks for the new leader finds what was seen of it.
      this.#evidence = addReport(this.#evidence, host, { type: 'answer', ...times, ...result })
      this.dispatch({ type: 'observed', host, at: sentAt, answer: result.answer })
    } else {
      const by = refusalOf(result.failure.error)
      const failure =
        by === undefined ? ({ type: 'failed', ...times } as const) : ({ type: 'refused', by, ...times } as const)
      this.#evidence = addReport(this.#evidence, host, failure)
      const known = hostRecord(this.#state, host)
      if (known?.failure?.reason !== result.failure.reason) log('%s: %s', host, result.failure.reason)
      const isFull = serverCode(result.failure.error) === sqlstate.tooManyConnections
      this.dispatch({ type: isFull ? 'full' : 'failed', host, at: now(), failure: result.failure })
    }
    this.#options.noted?.(host, sentAt, result.ok ? result.answer : undefined)
  }

  #interval(host: HostKey, last: ProbeResult): number {
    const share = last.ok ? leastMillisBetweenQuestions : leastMillisBetweenAttempts
    return Math.max(this.#wantedInterval(host, last), share * this.#state.hosts.length)
  }

  #wantedInterval(host: HostKey, last: ProbeResult): number {
    const { intervalMillis, leaderlessIntervalMillis } = this.#options.times
    const record = hostRecord(this.#state, host)
    // A host that refuses our credentials will do so in 25 ms again, and count it.
    const pointless = !last.ok && last.failure.aboutCaller
    const leaderless = this.#state.leader === undefined || leaderSuspected(this.#state)
    const isServed = this.targets(this.#options.targetSessionAttrs).length > 0
    const urgent = (leaderless && !isServed) || record?.suspectedAt !== undefined
    if ((urgent || this.#somebodyWaits || this.#uneasy) && !pointless) {
      // A question over a session that stands costs next to nothing; a connection attempt does not.
      const parkedMillis = this.#somebodyWaits ? awaitedIntervalMillis : parkedIntervalMillis
      const interval = last.ok ? Math.min(leaderlessIntervalMillis, parkedMillis) : leaderlessIntervalMillis
      return Math.max(interval, this.#patience()) * (0.75 + random() / 2)
    }
    if (intervalMillis === Infinity) return pointless ? 1000 : Infinity
    // Never longer than what was asked for.
    return intervalMillis * (0.8 + random() * 0.15)
  }
}
