import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { reservedPort } from './ports'

/** A TCP proxy that can fall silent (connections stay open and nothing comes through, either way) and lead elsewhere. */
export interface SilentProxy {
  readonly port: number
  /** Of the connections that are open now. New ones work. */
  silence(): void
  /** New connections go to this port. */
  moveTo(target: number): void
  close(): Promise<void>
}

export async function startSilentProxy(first: number): Promise<SilentProxy> {
  let target = first
  const pairs = new Set<readonly [Socket, Socket]>()
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    const pair = [client, upstream] as const
    pairs.add(pair)
    for (const socket of pair) {
      socket.on('error', () => undefined)
      socket.on('close', () => {
        pairs.delete(pair)
        client.destroy()
        upstream.destroy()
      })
    }
    client.pipe(upstream).pipe(client)
  })
  const port = await reservedPort(server)
  return {
    port,
    silence() {
      for (const [client, upstream] of pairs) {
        client.unpipe()
        upstream.unpipe()
        client.pause()
        upstream.pause()
      }
    },
    moveTo(next) {
      target = next
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const [client] of pairs) client.destroy()
      }),
  }
}
