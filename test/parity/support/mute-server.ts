import { type AddressInfo, createServer, type Socket } from 'node:net'

export interface MuteServer {
  readonly host: string
  readonly port: number
  close(): Promise<void>
}

/** Accepts connections and never says a word, as a frozen server does. */
export async function startMuteServer(): Promise<MuteServer> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.resume()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
