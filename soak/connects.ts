import { Socket } from 'node:net'
import { sharedNow } from '../bench/support/clock'

/** Counts what this process attempts to connect to, from now on. */
export function countConnects(): { busiest(): Readonly<Record<string, number>> } {
  const attempts = new Map<string, number[]>()
  const connect = Socket.prototype.connect
  Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
    const [port, host] = args
    // As pg calls it; who gives an object is no driver of ours.
    if (typeof port === 'number' && typeof host === 'string') {
      const key = `${host}:${port}`
      attempts.set(key, [...(attempts.get(key) ?? []).slice(-1000), sharedNow()])
    }
    return Reflect.apply(connect, this, args) as Socket
  }
  return {
    busiest: () => Object.fromEntries([...attempts].map(([key, times]) => [key, mostInASecond(times)])),
  }
}

function mostInASecond(times: readonly number[]): number {
  let most = 0
  for (let from = 0, to = 0; to < times.length; to += 1) {
    while ((times[to] ?? 0) - (times[from] ?? 0) >= 1000) from += 1
    most = Math.max(most, to - from + 1)
  }
  return most
}
