import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

export interface QuietProxy {
  readonly port: number
  close(): Promise<void>
}

/**
 * A pooler as clients see it: a server's answers without the ParameterStatus messages that tell the role, which is also
 * what a server before 14 sends.
 */
export async function startQuietProxy(target: number): Promise<QuietProxy> {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        client.destroy()
        upstream.destroy()
      })
    }
    client.pipe(upstream)
    let pending = Buffer.alloc(0)
    upstream.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk])
      while (pending.length >= 5) {
        const size = 1 + pending.readInt32BE(1)
        if (pending.length < size) return
        const message = pending.subarray(0, size)
        pending = pending.subarray(size)
        const name = message[0] === 'S'.charCodeAt(0) ? message.toString('latin1', 5, message.indexOf(0, 5)) : ''
        if (name !== 'in_hot_standby' && name !== 'default_transaction_read_only') client.write(message)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
