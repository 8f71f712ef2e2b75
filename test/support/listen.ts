import type { AddressInfo, Server } from 'node:net'

/** Ports below where the system's own client sockets begin, and apart from those of real servers in these tests. */
const ranges = {
  /** For a server that listens until it is closed. */
  ordinary: { lowest: 10_000, count: 9000 },
  /** For one that stops and wants the same port again: few enough that nobody takes it in between. */
  returning: { lowest: 19_000, count: 1000 },
} as const

/** Listens on a free port of the loopback interface. */
export async function listen(server: Server, kind: keyof typeof ranges = 'ordinary'): Promise<number> {
  const { lowest, count } = ranges[kind]
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = lowest + Math.floor(Math.random() * count)
    if (await listensOn(server, port)) return (server.address() as AddressInfo).port
  }
  throw new Error('no free port in 200 attempts')
}

/** Whether it listens there now; false where somebody else does. */
export function listensOn(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const refused = (): void => resolve(false)
    server.once('error', refused)
    server.listen(port, '127.0.0.1', () => {
      server.removeListener('error', refused)
      resolve(true)
    })
  })
}
