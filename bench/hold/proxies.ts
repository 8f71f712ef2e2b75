import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { once } from 'node:events'
import { serve } from '../../test/support/child'
import { sharedNow } from '../support/clock'

/** The process that stands before every server and counts who knocks. */
export type ProxiesProcess = {
  /** Resolves with the ports that stand for these. */
  open(ports: readonly number[]): Promise<readonly number[]>
  /** When each connection was asked for, by the port behind; shared clock. */
  attempts(argument?: undefined): ReadonlyMap<number, readonly number[]>
}

export function serveProxies(): void {
  const attempts = new Map<number, number[]>()
  serve({
    open: (ports) => Promise.all(ports.map((port) => openProxy(port, attempts))),
    attempts: () => attempts,
  } satisfies ProxiesProcess)
}

async function openProxy(port: number, attempts: Map<number, number[]>): Promise<number> {
  const seen: number[] = []
  attempts.set(port, seen)
  const server = createServer((inside) => {
    seen.push(sharedNow())
    const outside = connect(port, '127.0.0.1')
    join(inside, outside)
    join(outside, inside)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** What happens to one end happens to the other: a server that refuses is a reset to whoever knocked. */
function join(from: Socket, to: Socket): void {
  from.setNoDelay(true)
  from.pipe(to)
  from.on('error', () => to.resetAndDestroy())
  from.on('close', () => to.destroy())
}
