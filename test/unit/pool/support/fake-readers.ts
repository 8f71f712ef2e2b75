import type { HostKey } from '../../../../src/core/topology/host'
import { Blame } from '../../../../src/pool/blame'
import type { ReaderPool } from '../../../../src/pool/reader-pool'
import { Readers } from '../../../../src/pool/readers'
import type { ReadersPort } from '../../../../src/pool/readers'
import { beginCall } from '../../../../src/pool/ticket'
import type { Call, CheckoutCallback } from '../../../../src/pool/ticket'
import { dialled } from './fake-client'
import type { FakeClient } from './fake-client'

interface Request {
  readonly call: Call | undefined
  readonly fail: (error: Error) => void
  /** What was asked for is given: the statement is sent, the client is handed over. */
  readonly serve: () => void
  /** What was sent is answered. */
  readonly answer: (error: Error | undefined, result?: unknown) => void
}

/** One host's pool: requests stay open until they are answered here. */
class FakeReaderPool {
  readonly host: HostKey
  readonly open: Request[] = []
  readonly clients: FakeClient[] = []
  inFlight = 0
  ended: (() => void) | undefined

  constructor(host: HostKey) {
    this.host = host
  }

  run(call: Call, _text: unknown, _values: unknown, callback: (error: unknown, result?: unknown) => void): void {
    const serve = (): void => void (call.session = dialled(this.host).session)
    this.open.push({ call, fail: callback, serve, answer: callback })
  }

  connect(callback: CheckoutCallback): void {
    const serve = (): void => {
      const { client } = dialled(this.host)
      this.clients.push(client)
      callback(undefined, client.asPoolClient, client.release)
    }
    this.open.push({ call: undefined, fail: callback, serve, answer: (error) => callback(error) })
  }

  end(): Promise<void> {
    return new Promise((resolve) => void (this.ended = resolve))
  }
}

/** What one caller was told. */
export interface Reading {
  readonly call: Call
  /** Each answer, in words: of an error its message. */
  readonly told: string[]
  readonly errors: unknown[]
}

/** Readers over pools that do what a test says. */
export class FakeReaders {
  readonly pools = new Map<HostKey, FakeReaderPool>()
  readonly blame = new Blame()
  readonly banned: HostKey[] = []
  readonly held: boolean[] = []
  readonly weights = new Map<HostKey, number>()
  /** All callers in the order in which they were told something. */
  readonly told: Reading[] = []
  readonly readers: Readers
  hosts: readonly HostKey[]
  nextReturn: number | undefined

  constructor(hosts: readonly HostKey[], options: Partial<Pick<ReadersPort, 'limits' | 'maxWaiting' | 'loadBalance'>>) {
    this.hosts = hosts
    this.readers = new Readers({
      limits: { connectionTimeoutMillis: undefined, failoverTimeoutMillis: undefined },
      maxWaiting: 100,
      loadBalance: 'round-robin',
      ...options,
      hosts: () => this.hosts,
      weight: (host) => this.weights.get(host) ?? 1,
      explain: () => [{ host: 'c', reason: 'is too far behind' }],
      obstacle: () => undefined,
      createPool: (host) => {
        const pool = new FakeReaderPool(host)
        this.pools.set(host, pool)
        return pool as unknown as ReaderPool
      },
      blames: (error) => this.blame.of(error),
      ban: (host) => {
        this.banned.push(host)
        this.hosts = this.hosts.filter((other) => other !== host)
      },
      nextReturn: () => this.nextReturn,
      held: (somebody) => void this.held.push(somebody),
    })
  }

  /** The pool of this host: made by now. */
  pool(host: HostKey): FakeReaderPool {
    const pool = this.pools.get(host)
    if (pool === undefined) throw new Error(`nobody went to ${host}`)
    return pool
  }

  /** The requests that are open, by host. */
  get open(): string {
    return [...this.pools.values()].flatMap(({ host, open }) => open.map(() => host)).join(' ')
  }

  /** The oldest request there. */
  take(host: HostKey): Request {
    const request = this.pool(host).open.shift()
    if (request === undefined) throw new Error(`nobody waits for ${host}`)
    return request
  }

  /** The oldest request there fails before anything was sent. */
  refuse(host: HostKey, culprit: 'caller' | 'host' | 'nobody'): void {
    const error = new Error(`${host} says no`)
    this.take(host).fail(culprit === 'caller' ? error : this.blame.put(culprit, error))
  }

  /** Somebody reads. */
  read(options: { signal?: AbortSignal; call?: Call; arrival?: number; none?: () => void } = {}): Reading {
    const reading = this.#reading(options)
    this.readers.attempt(
      reading.call,
      'select 1',
      undefined,
      (error, result) => this.#tell(reading, error, result),
      options.none,
    )
    return reading
  }

  /** Somebody wants a client. */
  connect(): Reading {
    const reading = this.#reading({})
    this.readers.connect(reading.call, (error, client) => this.#tell(reading, error, client && 'a client'))
    return reading
  }

  #reading({ call, arrival, signal }: { call?: Call; arrival?: number; signal?: AbortSignal }): Reading {
    return { call: call ?? beginCall(arrival ?? performance.now(), signal), told: [], errors: [] }
  }

  #tell(reading: Reading, error: unknown, result: unknown): void {
    reading.told.push(error ? (error as Error).message : String(result))
    reading.errors.push(error)
    this.told.push(reading)
  }
}
