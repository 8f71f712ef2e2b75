import type { Server } from 'node:net'

/** Listens on a free port of the range the tests keep to, below where the system's own client sockets begin. */
export async function reservedPort(server: Server): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = 10_000 + Math.floor(Math.random() * 9000)
    if (await listens(server, port)) return port
  }
  throw new Error('no free port in 200 attempts')
}

function listens(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const refused = (): void => resolve(false)
    server.once('error', refused)
    server.listen(port, '127.0.0.1', () => {
      server.removeListener('error', refused)
      resolve(true)
    })
  })
}
