import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { authenticationOk, backendKeyData, parameterStatus, readyForQuery } from '../../../support/backend'
import { listen } from '../../../support/listen'

export interface HostileServer {
  readonly port: number
  /** The most bytes that any one connection took from it. */
  readonly mostTaken: number
  close(): Promise<void>
}

/** A server that says `words` to the first thing it is told, and is silent then, unless `words` is a function of its own. */
export async function startHostileServer(words: Buffer | ((socket: Socket) => void)): Promise<HostileServer> {
  const sockets = new Set<Socket>()
  let mostTaken = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      sockets.delete(socket)
      mostTaken = Math.max(mostTaken, socket.bytesWritten - socket.writableLength)
    })
    socket.once('data', () => (typeof words === 'function' ? words(socket) : socket.write(words)))
  })
  const port = await listen(server)
  return {
    port,
    get mostTaken() {
      return mostTaken
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** All that a primary says until its session is ready. */
export const welcome = Buffer.concat([
  authenticationOk,
  parameterStatus('in_hot_standby', 'off'),
  parameterStatus('default_transaction_read_only', 'off'),
  backendKeyData(0),
  readyForQuery('I'),
])

/** Sends the same without end, as fast as it is taken. */
export function endlessly(bytes: Buffer): (socket: Socket) => void {
  const block = Buffer.concat(Array.from({ length: Math.ceil(2 ** 16 / bytes.length) }, () => bytes))
  return (socket) => {
    const pour = (): void => {
      while (socket.writable && socket.write(block));
    }
    socket.on('drain', pour)
    pour()
  }
}
