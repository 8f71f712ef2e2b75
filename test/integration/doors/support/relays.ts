import { connect, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { connect as connectTls, TLSSocket } from 'node:tls'
import type { Duplex } from 'node:stream'
import { listen } from '../../../support/listen'
import type { Certified } from './certificates'

export interface Relay {
  readonly port: number
  close(): Promise<void>
}

/** What asks a server for TLS. */
export const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])

/** What ends a session. */
export const terminate = Buffer.from([0x58, 0, 0, 0, 4])

async function relay(serve: (client: Socket, upstream: Socket) => void, target: number): Promise<Relay> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        client.destroy()
        upstream.destroy()
      })
    }
    serve(client, upstream)
  })
  const port = await listen(server)
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** Passes everything on, and keeps what each client sent. */
export async function startRecorder(target: number): Promise<Relay & { readonly recorded: readonly Buffer[] }> {
  const recorded: Buffer[] = []
  const started = await relay((client, upstream) => {
    const place = recorded.push(Buffer.alloc(0)) - 1
    client.on('data', (chunk) => (recorded[place] = Buffer.concat([recorded[place] as Buffer, chunk])))
    client.pipe(upstream).pipe(client)
  }, target)
  return { ...started, recorded }
}

/** A man in the middle: ends the client's TLS with a certificate of its own, and speaks TLS to the server as a client. */
export function startInterceptor(target: number, { cert, key }: Certified): Promise<Relay> {
  const join = (one: Duplex, other: Duplex): void => {
    for (const stream of [one, other]) stream.on('error', () => undefined)
    one.pipe(other).pipe(one)
  }
  return relay((client, upstream) => {
    client.once('data', () => {
      upstream.write(sslRequest)
      upstream.once('data', () => {
        const inner = connectTls({ socket: upstream, rejectUnauthorized: false })
        client.write('S')
        join(new TLSSocket(client, { isServer: true, cert, key }), inner)
      })
    })
  }, target)
}
