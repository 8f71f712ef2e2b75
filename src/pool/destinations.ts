import { defaultConnectTimeoutMillis } from '../client/conninfo/follow-options'
import type { FollowOptions, ResolvedHost } from '../client/conninfo/follow-options'
import { boundToOneHost } from '../client/one-host'
import { prepareSignIn } from '../client/sign-in'
import { someOf } from '../core/selection/some-of'
import { mismatch } from '../core/selection/target-session-attrs'
import type { TargetSessionAttrs } from '../core/selection/target-session-attrs'
import type { HostKey } from '../core/topology/host'
import { obstacle } from '../core/topology/obstacle'
import { hostRecord } from '../core/topology/state'
import type { TopologyState } from '../core/topology/state'
import type { HostReason } from '../errors'
import { createLog } from '../runtime/log'
import { random } from '../runtime/random'
import type { LivingTopology } from '../topology/living-topology'
import type { Blame } from './blame'
import type { Destination } from './bound-client'
import type { Clients } from './clients'
import { InAdvance } from './in-advance'
import { obstacleError } from './obstacle-error'
import type { Roster } from './roster'
import type { Session } from './session'

const log = createLog('pool')

/** Where the clients of one following pool go: asks the topology, and says which sessions are of use. */
export class Destinations {
  readonly #follow: FollowOptions
  readonly #roster: Roster
  readonly #topology: LivingTopology
  readonly #clients: Clients
  readonly #blame: Blame

  readonly inAdvance: InAdvance

  constructor(follow: FollowOptions, roster: Roster, topology: LivingTopology, clients: Clients, blame: Blame) {
    this.#follow = follow
    this.#roster = roster
    this.#topology = topology
    this.#clients = clients
    this.#blame = blame
    this.inAdvance = new InAdvance({
      available: () => this.available,
      leader: () => topology.state.leader?.key,
      generation: () => topology.state.generation,
      inVain: (host) => blame.put('nobody', new Error(`${host} is not the host to go to`)),
      parked: (host) => log('%s: a session is ready there, in advance', host),
    })
  }

  /** There is a host to go to now. */
  get available(): boolean {
    return this.#suitableHosts.length > 0
  }

  /** The host to dial now, or why there is none. */
  next(): Destination | Error {
    const suitable = this.#suitableHosts
    const place = this.#follow.loadBalanceHosts === 'random' ? Math.floor(random() * suitable.length) : 0
    const inAdvance = suitable.length === 0
    const host = inAdvance ? this.inAdvance.leastWaitedOn(this.successors()) : suitable[place]
    if (host === undefined) return this.none()
    try {
      const destination = this.#to(host, this.#follow.targetSessionAttrs)
      return inAdvance ? this.inAdvance.destination(destination) : destination
    } catch (error) {
      return error as Error
    }
  }

  /** The leader, whatever the sessions of this pool are for: a standby refuses LISTEN. */
  leader(): Destination | Error {
    const [host] = this.#topology.targets('read-write')
    if (host === undefined) return this.none()
    try {
      return this.#to(host, 'read-write')
    } catch (error) {
      return error as Error
    }
  }

  /** The error of whoever asks while there is no host to go to. */
  none(): Error {
    const why = this.explain().map(({ host, reason }) => `${host} ${reason}`)
    return this.#blame.put('nobody', new Error(`no suitable host is known now: ${someOf(why)}`))
  }

  /** Per host, why none of our sessions goes there. */
  explain(): readonly HostReason[] {
    return this.#topology.explain(this.#follow.targetSessionAttrs)
  }

  /** The primary that is not written to, as an error that explains itself; for sessions that want a primary. */
  obstacle(): Error | undefined {
    const { targetSessionAttrs } = this.#follow
    if (targetSessionAttrs === 'standby' || targetSessionAttrs === 'read-only') return undefined
    const inTheWay = obstacle(this.#topology.state)
    return inTheWay && obstacleError(inTheWay)
  }

  /** The host that somebody else calls so. */
  find(host: string, port: number): HostKey | undefined {
    const isNamed = (name: string | undefined): boolean => name?.toLowerCase() === host.toLowerCase()
    const isIt = (each: ResolvedHost): boolean => each.port === port && (isNamed(each.host) || isNamed(each.hostaddr))
    const { state } = this.#topology
    return this.#roster.hosts.find((each) => isIt(each) && hostRecord(state, each.key) !== undefined)?.key
  }

  /** While nobody leads, any standby may be next. */
  successors(): readonly HostKey[] {
    const { targetSessionAttrs } = this.#follow
    const wantsLeader = targetSessionAttrs === 'read-write' || targetSessionAttrs === 'primary'
    if (!wantsLeader || this.#topology.state.generation === 0 || this.available) return []
    return this.#topology.targets('standby')
  }

  /** Asked at every checkout: what is true of a state stays true of it. */
  suits(session: Session): boolean {
    const { state } = this.#topology
    if (session.suitedIn === state) return true
    const suits = this.#judge(session, state)
    if (suits) session.suitedIn = state
    return suits
  }

  /** It is the leader that was dialled, or nobody leads now. */
  leads(host: HostKey, generation: number): boolean {
    const { state } = this.#topology
    return state.leader === undefined || (state.leader.key === host && state.generation === generation)
  }

  /** A leader's session is of its generation; one that is in doubt now may be cleared in a moment. */
  isStillWanted(host: HostKey, generation: number): boolean {
    if (this.leads(host, generation)) return true
    return this.#topology.state.leader?.key !== host && this.#suitableHosts.includes(host)
  }

  get #suitableHosts(): readonly HostKey[] {
    return this.#topology.targets(this.#follow.targetSessionAttrs)
  }

  #judge(session: Session, state: TopologyState): boolean {
    const leads = state.leader?.key === session.host
    return this.#suitableHosts.includes(session.host) && (!leads || session.generation === state.generation)
  }

  #to(host: HostKey, attrs: TargetSessionAttrs): Destination {
    const { connectTimeoutMillis } = this.#follow
    const { generation } = this.#topology.state
    return {
      host,
      generation: () => generation,
      signIn: prepareSignIn(() => boundToOneHost(this.#follow.clientOptions(this.#roster.host(host)))),
      timeoutMillis: connectTimeoutMillis ?? defaultConnectTimeoutMillis,
      accept: (role) => mismatch(attrs, role),
      dialling: (abort) => this.#clients.dialling(host, abort),
    }
  }
}
