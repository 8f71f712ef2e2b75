import { GenericContainer, Wait, getContainerRuntimeClient } from 'testcontainers'
import type { StartedNetwork, StartedTestContainer } from 'testcontainers'
import type { Host } from '../../support'
import { poll } from '../../support'
import { primaryConninfo } from '../../support/replication'
import { withClient } from '../../support/session'
import { settingsText } from '../../support/settings'
import { CREDENTIALS } from '../../support/template'

export interface ContainerOptions {
  readonly name: string
  /** On this machine. The same one for ever, whatever the engine does to the container. */
  readonly port: number
  readonly network: StartedNetwork
  readonly settings: Readonly<Record<string, string>>
}

/** PostgreSQL's own port, inside of the network. */
const serverPort = 5432
const directory = '/tmp/pg-leader'
const image = process.env['PG_TEST_IMAGE'] ?? 'postgres:18'
const signals = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' } as const

/** Needs nothing of an image but a shell and the server's programs on the PATH: no entrypoint of its own is run. */
const script = `set -e
mkdir -p ${directory}
cd ${directory}
if [ ! -s data/PG_VERSION ] && [ -n "$UPSTREAM" ]; then
  pg_basebackup --pgdata=data --wal-method=stream --checkpoint=fast --write-recovery-conf --dbname="$UPSTREAM"
elif [ ! -s data/PG_VERSION ]; then
  printf '%s' "$PASSWORD" >password
  initdb --pgdata=data --username="$USERNAME" --pwfile=password --auth=scram-sha-256 --no-locale --encoding=UTF8 --no-sync
  printf '%s' "$SETTINGS" >>data/postgresql.conf
  printf 'host all all all scram-sha-256\\nhost replication all all scram-sha-256\\n' >>data/pg_hba.conf
fi
exec postgres -D data -c cluster_name="$NAME" -c unix_socket_directories=${directory}`

/** One PostgreSQL server in a container of its own. Its postmaster is the container's first process. */
export class ContainerHost implements Host {
  readonly name: string
  readonly host = '127.0.0.1'
  readonly port: number
  readonly address: { readonly host: string; readonly port: number }
  readonly dataDirectory = `${directory}/data`
  readonly socketDirectory = directory
  readonly #options: ContainerOptions
  #started: StartedTestContainer | undefined
  #running = false
  #frozen = false

  constructor(options: ContainerOptions) {
    this.#options = options
    this.name = options.name
    this.port = options.port
    // The container's name: with an alias it would be in the engine's default network as well.
    this.address = { host: `${options.network.getName()}-${options.name}`, port: serverPort }
  }

  get pid(): number | undefined {
    return this.#running ? 1 : undefined
  }

  get running(): boolean {
    return this.#running
  }

  get frozen(): boolean {
    return this.#frozen
  }

  /** Makes it anew, with nothing of what it had: a primary of its own, or a copy of `upstream`. */
  async create(upstream?: Host): Promise<void> {
    await this.remove()
    const { name, port, network, settings } = this.#options
    this.#started = await new GenericContainer(image)
      .withEntrypoint(['sh', '-c', script])
      .withUser('postgres')
      .withNetwork(network)
      .withName(this.address.host)
      .withExposedPorts({ container: serverPort, host: port })
      .withEnvironment({
        NAME: name,
        USERNAME: CREDENTIALS.user,
        PASSWORD: CREDENTIALS.password,
        SETTINGS: settingsText({ ...settings, listen_addresses: '*' }),
        UPSTREAM: upstream === undefined ? '' : primaryConninfo(this, upstream),
      })
      .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept (read-only )?connections/))
      .start()
    this.#running = true
    await this.#ready()
  }

  async start(): Promise<void> {
    if (this.#running) return
    await (await this.#container()).start()
    this.#running = true
    await this.#ready()
  }

  async kill(): Promise<void> {
    if (!this.#running) return
    await this.#signal('SIGKILL')
  }

  async stop(mode: 'fast' | 'immediate' | 'smart'): Promise<void> {
    if (!this.#running) return
    if (this.#frozen) throw new Error(`${this.name} is frozen and cannot stop: thaw it first, or kill it`)
    await this.#signal(signals[mode])
  }

  async restart(mode: 'fast' | 'immediate' | 'kill' = 'fast'): Promise<void> {
    await (mode === 'kill' ? this.kill() : this.stop(mode))
    await this.start()
  }

  async freeze(): Promise<void> {
    this.#frozen = true
    await (await this.#container()).pause()
  }

  async thaw(): Promise<void> {
    await (await this.#container()).unpause()
    this.#frozen = false
  }

  /** The server lives on, and nobody reaches it, nor it anybody: its cable is out. */
  async disconnect(): Promise<void> {
    await (await this.#network()).disconnect({ Container: this.#id, Force: true })
  }

  async reconnect(): Promise<void> {
    await (await this.#network()).connect({ Container: this.#id })
    await this.#ready()
  }

  query<T = Record<string, unknown>>(text: string, values?: unknown[]): Promise<T[]> {
    return withClient(this, async (client) => (await client.query(text, values)).rows as T[])
  }

  async killBackend(pid: number): Promise<void> {
    const { exitCode, output } = await this.#present.exec(['sh', '-c', `kill -9 ${pid}`])
    if (exitCode !== 0) throw new Error(`${pid} is not a process of ${this.name}: ${output}`)
  }

  /** The frames of the engine's protocol stand between its lines. */
  async log(): Promise<string> {
    const bytes: Buffer = await (await this.#container()).logs({ stdout: true, stderr: true, follow: false })
    return bytes.toString()
  }

  /** Nothing is left of it. */
  async remove(): Promise<void> {
    if (this.#started === undefined) return
    await (await this.#container()).remove({ force: true, v: true })
    this.#started = undefined
    this.#running = this.#frozen = false
  }

  get #present(): StartedTestContainer {
    if (this.#started === undefined) throw new Error(`${this.name} has no container`)
    return this.#started
  }

  get #id(): string {
    return this.#present.getId()
  }

  async #container() {
    return (await getContainerRuntimeClient()).container.getById(this.#id)
  }

  async #network() {
    return (await getContainerRuntimeClient()).network.getById(this.#options.network.getId())
  }

  async #signal(signal: string): Promise<void> {
    const container = await this.#container()
    const ended = container.wait()
    await container.kill({ signal })
    await ended
    this.#running = this.#frozen = false
  }

  async #ready(): Promise<void> {
    const asked = (): Promise<boolean> =>
      this.query('select 1').then(
        () => true,
        () => false,
      )
    await poll(asked, { what: `${this.name} accepts connections`, intervalMillis: 50 })
  }
}
