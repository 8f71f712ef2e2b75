import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Binaries } from './binaries'
import type { ServerIdentity } from './identity'
import { poll } from './poll'
import { killProcessesIn, processesIn, removeRemains, signal } from './processes.mjs'
import { serverEnvironment } from './run'
import { withClient } from './session'
import type { Address } from './session'

/** One PostgreSQL server of a {@link Cluster}. */
export interface Host {
  /** `host1`, `host2`, …: its `cluster_name`, and its `application_name` as a standby. */
  readonly name: string
  readonly host: string
  readonly port: number
  /** Where the other servers reach it. */
  readonly address: Address
  readonly dataDirectory: string
  readonly socketDirectory: string
  /** The postmaster's pid while it runs, in its own namespace. */
  readonly pid: number | undefined
  readonly running: boolean
  readonly frozen: boolean
  /** Starts it and waits until it accepts connections. Already running: nothing. */
  start(): Promise<void>
  /** SIGKILL to the postmaster and all its children at once; resolves when none is left. */
  kill(): Promise<void>
  /** `smart` waits for every session to end by itself. */
  stop(mode: 'fast' | 'immediate' | 'smart'): Promise<void>
  /** In place: same data, same port. */
  restart(mode?: 'fast' | 'immediate' | 'kill'): Promise<void>
  /** SIGSTOP to the postmaster and every child: connections stay open and nobody answers. */
  freeze(): Promise<void>
  thaw(): Promise<void>
  /** One statement on a fresh, plain connection. */
  query<T = Record<string, unknown>>(text: string, values?: unknown[]): Promise<T[]>
  /** SIGKILL to one process of this server; the postmaster then restarts all others. */
  killBackend(pid: number): Promise<void>
  /** The server's log so far. */
  log(): Promise<string>
}

export interface ServerOptions {
  readonly name: string
  readonly port: number
  /** Holds the data directory, the socket and the log. */
  readonly directory: string
  readonly binaries: Binaries
  readonly identity: ServerIdentity
}

const SIGNALS = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' } as const

interface Postmaster {
  readonly child: ChildProcess
  readonly pid: number
  readonly exited: Promise<void>
}

/** Drives one server. The postmaster is a child of this process, so its pid and its end are known for sure. */
export class Server implements Host {
  readonly name: string
  readonly host = '127.0.0.1'
  readonly dataDirectory: string
  readonly socketDirectory: string
  #port: number
  readonly #options: ServerOptions
  readonly #logFile: string
  #postmaster: Postmaster | undefined
  #frozen = false

  constructor(options: ServerOptions) {
    this.#options = options
    this.name = options.name
    this.#port = options.port
    this.dataDirectory = join(options.directory, 'data')
    this.socketDirectory = options.directory
    this.#logFile = join(options.directory, 'server.log')
  }

  get port(): number {
    return this.#port
  }

  /** Only before the first successful start: everybody else has to be able to rely on it. */
  set port(port: number) {
    this.#port = port
  }

  get address(): Address {
    return this
  }

  get pid(): number | undefined {
    return this.#postmaster?.pid
  }

  get running(): boolean {
    return this.#postmaster !== undefined
  }

  get frozen(): boolean {
    return this.#frozen
  }

  async start(): Promise<void> {
    if (this.running) return
    // The last one may have been killed by somebody else, who left its children alive.
    await killProcessesIn(this.dataDirectory)
    await removeRemains(this.dataDirectory)
    const postmaster = await this.#spawn()
    await whileReferenced(postmaster, () =>
      poll(() => this.#isReady(postmaster), { what: `${this.name} accepts connections` }),
    )
  }

  async #spawn(): Promise<Postmaster> {
    const { binaries, identity, name } = this.#options
    const settings = [`-ccluster_name=${name}`, `-cunix_socket_directories=${this.socketDirectory}`]
    const log = await open(this.#logFile, 'a')
    try {
      const child = spawn(
        binaries.postgres,
        ['-D', this.dataDirectory, '-p', String(this.port), ...settings],
        // detached: a Ctrl-C in the terminal must not shut it down before the guardian acts.
        {
          stdio: ['ignore', log.fd, log.fd],
          cwd: this.dataDirectory,
          env: serverEnvironment(),
          detached: true,
          ...identity,
        },
      )
      const exited = new Promise<void>((resolve) => {
        child.once('exit', () => {
          this.#postmaster = undefined
          this.#frozen = false
          resolve()
        })
      })
      await once(child, 'spawn')
      child.unref()
      const postmaster = { child, pid: child.pid as number, exited }
      this.#postmaster = postmaster
      return postmaster
    } finally {
      await log.close()
    }
  }

  /** The postmaster says so in line 8 of its pid file, which costs the server no connection. */
  async #isReady(postmaster: Postmaster): Promise<boolean> {
    if (this.#postmaster !== postmaster) {
      throw new Error(`${this.name} did not start on port ${this.port}:\n${(await this.log()).slice(-2000)}`)
    }
    const text = await readFile(join(this.dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '')
    const lines = text.split('\n')
    return Number(lines[0]) === postmaster.pid && lines[7]?.trim() === 'ready'
  }

  async kill(): Promise<void> {
    const postmaster = this.#postmaster
    // Known first, then all at once: children that see their postmaster die would otherwise still say good-bye.
    const pids = await processesIn(this.dataDirectory)
    if (postmaster !== undefined && this.#postmaster === postmaster) signal(postmaster.pid, 'SIGKILL')
    for (const pid of pids) signal(pid, 'SIGKILL')
    await killProcessesIn(this.dataDirectory)
    if (postmaster !== undefined) await whileReferenced(postmaster, () => postmaster.exited)
  }

  async stop(mode: 'fast' | 'immediate' | 'smart'): Promise<void> {
    const postmaster = this.#postmaster
    if (postmaster === undefined) return
    if (this.frozen) throw new Error(`${this.name} is frozen and cannot stop: thaw it first, or kill it`)
    signal(postmaster.pid, SIGNALS[mode])
    await whileReferenced(postmaster, () => postmaster.exited)
  }

  async restart(mode: 'fast' | 'immediate' | 'kill' = 'fast'): Promise<void> {
    await (mode === 'kill' ? this.kill() : this.stop(mode))
    await this.start()
  }

  async freeze(): Promise<void> {
    const { pid } = this
    if (pid === undefined) throw new Error(`${this.name} does not run, so it cannot be frozen`)
    this.#frozen = true
    signal(pid, 'SIGSTOP')
    // A child that was being forked shows up in the second look.
    const stopped = new Set([pid])
    for (let news = true; news;) {
      news = false
      for (const child of await processesIn(this.dataDirectory)) {
        if (stopped.has(child)) continue
        signal(child, 'SIGSTOP')
        stopped.add(child)
        news = true
      }
    }
  }

  async thaw(): Promise<void> {
    if (!this.running) return
    for (const pid of await processesIn(this.dataDirectory)) signal(pid, 'SIGCONT')
    this.#frozen = false
  }

  query<T = Record<string, unknown>>(text: string, values?: unknown[]): Promise<T[]> {
    return withClient(this, async (client) => (await client.query(text, values)).rows as T[])
  }

  async killBackend(pid: number): Promise<void> {
    const pids = await processesIn(this.dataDirectory)
    if (!pids.includes(pid)) throw new Error(`${pid} is not a process of ${this.name}`)
    signal(pid, 'SIGKILL')
  }

  async log(): Promise<string> {
    return readFile(this.#logFile, 'utf8').catch(() => '')
  }
}

/** A running server does not keep our process alive; waiting for it does. */
async function whileReferenced<T>({ child }: Postmaster, work: () => Promise<T>): Promise<T> {
  child.ref()
  try {
    return await work()
  } finally {
    child.unref()
  }
}
