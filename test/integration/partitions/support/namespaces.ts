import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { poll } from '../../../support'
import type { Cluster, Host } from '../../../support'
import { run } from '../../../support/run'
import type { Network } from './network'

/** Addresses of one test: 198.18.0.0/15 is set apart for tests of networks. */
export interface Addresses {
  readonly hosts: readonly string[]
  readonly routerToHosts: string
  readonly routerToClient: string
  readonly client: string
}

/** Why there can be no network namespaces here; undefined: there can. */
export async function whyNoNamespaces(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'only Linux has them'
  if (process.getuid?.() !== 0) return 'only root may make them, and this is not root'
  try {
    await run('ip', ['-Version'])
  } catch {
    return 'there is no "ip" here: the Debian package iproute2 has it'
  }
  try {
    await run('unshare', ['--net', 'sh', '-ec', `ip link add name one type veth peer name other; ${forward}`])
    return undefined
  } catch (error) {
    return `this system does not let root make and use them: ${(error as Error).message}`
  }
}

const forward = 'echo 1 > /proc/sys/net/ipv4/ip_forward'

/** Eight addresses in a row, by chance. */
export function chooseAddresses(): Addresses {
  const first = Math.floor(Math.random() * 2 ** 14) * 8
  const address = (offset: number): string =>
    `198.${18 + Math.floor((first + offset) / 65536)}.${Math.floor((first + offset) / 256) % 256}.${(first + offset) % 256}`
  return {
    hosts: [address(1), address(2), address(3)],
    routerToHosts: address(4),
    routerToClient: address(5),
    client: address(6),
  }
}

/**
 * The process under test in a network namespace of its own, and another one as the router between it and the servers:
 * what the router drops is lost without a word, as in a real network. The namespaces end with the processes in them.
 */
export class Namespaces implements Network {
  readonly through = ['unshare', '--net']
  readonly #addresses: Addresses
  #hosts: readonly Host[] = []
  /** Ends when its standard input does, whatever becomes of us. */
  readonly #router = spawn('unshare', ['--net', 'cat'], { stdio: ['pipe', 'ignore', 'inherit'] })
  readonly #rules = new Set<string>()

  constructor(addresses: Addresses) {
    this.#addresses = addresses
  }

  /** From now on there are the addresses on which the servers are to listen. */
  async start(): Promise<void> {
    const { hosts, routerToHosts, client } = this.#addresses
    const router = this.#router.pid as number
    await ownNetwork(router)
    const device = `pgl${process.pid}`
    await run('sh', [
      '-ec',
      `ip link add name ${device} type veth peer name hosts netns ${router}; ip link set dev ${device} up`,
    ])
    const ours = hosts.map((host) => `ip addr add ${host}/32 dev ${device}`)
    const routes = hosts.map((host) => `ip route add ${host} dev hosts`)
    await inside(
      router,
      `ip addr add ${routerToHosts}/32 dev hosts; ip link set dev hosts up; ${routes.join('; ')}; ${forward}`,
    )
    const back = `ip route add ${routerToHosts} dev ${device}; ip route add ${client} via ${routerToHosts}`
    await run('sh', ['-ec', [...ours, back].join('; ')])
  }

  /** The servers let the process under test in. */
  async admit({ hosts }: Cluster): Promise<void> {
    this.#hosts = hosts
    for (const host of hosts) {
      await appendFile(
        join(host.dataDirectory, 'pg_hba.conf'),
        `host all all ${this.#addresses.client}/32 scram-sha-256\n`,
      )
      await host.query('select pg_reload_conf()')
    }
  }

  async attach(pid: number): Promise<void> {
    const { routerToClient, client } = this.#addresses
    const router = this.#router.pid as number
    await ownNetwork(pid)
    // The one of the process before is gone with it, at some time.
    await inside(router, `ip link delete dev client 2>/dev/null || true`)
    await inside(
      router,
      `ip link add name client type veth peer name router netns ${pid}; ip addr add ${routerToClient}/32 dev client
       ip link set dev client up; ip route add ${client} dev client`,
    )
    await inside(
      pid,
      `ip link set dev lo up; ip addr add ${client}/32 dev router; ip link set dev router up
       ip route add ${routerToClient} dev router; ip route add default via ${routerToClient}`,
    )
  }

  keyOf(host: Host): string {
    return `${this.#addressOf(host)}:${host.port}`
  }

  async cut(host: Host, ...directions: readonly ('up' | 'down')[]): Promise<void> {
    const { client } = this.#addresses
    for (const direction of directions) {
      const [from, to] = direction === 'up' ? [client, this.#addressOf(host)] : [this.#addressOf(host), client]
      const rule = `from ${from} to ${to} blackhole`
      this.#rules.add(rule)
      await inside(this.#router.pid as number, `ip rule add ${rule}`)
    }
  }

  async heal(): Promise<void> {
    for (const rule of this.#rules) await inside(this.#router.pid as number, `ip rule delete ${rule}`)
    this.#rules.clear()
  }

  async end(): Promise<void> {
    const exited = once(this.#router, 'exit')
    this.#router.stdin?.end()
    await exited
  }

  #addressOf(host: Host): string {
    return this.#addresses.hosts[this.#hosts.indexOf(host)] ?? ''
  }
}

/** Runs lines of sh in the network namespace of a process. */
async function inside(pid: number, script: string): Promise<void> {
  await run('nsenter', ['--target', String(pid), '--net', 'sh', '-ec', script])
}

/** Between its start and its own namespace a process is still in ours, where nothing must be changed by mistake. */
async function ownNetwork(pid: number): Promise<void> {
  const ours = await readlink('/proc/self/ns/net')
  await poll(async () => (await readlink(`/proc/${pid}/ns/net`)) !== ours, { what: `${pid} has a network of its own` })
}
