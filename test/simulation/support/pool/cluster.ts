import type { World } from '../world'
import type { Trouble } from './history'
import type { Wire } from './wire'

/** Something happens to a server or to the way there, and its sessions are told; `host` undefined: to whoever is the primary. */
export function befall(wire: Wire, what: Trouble, host: number | undefined): void {
  const { world } = wire
  const server = world.server(host ?? world.servers.findIndex(({ primary, foreign }) => primary && !foreign))
  switch (what) {
    case 'halt':
      wire.dismiss(server, 'immediate')
      return world.disturb('crash', server)
    case 'expire':
      return wire.dismiss(server, 'idle')
    case 'fill':
      server.full = !server.full
      return
    case 'slow':
      server.slowMillis = server.slowMillis === 0 ? 150 : 0
      return
    default:
      if (what === 'crash') wire.dismiss(server, 'killed')
      if (what === 'restart') wire.dismiss(server, 'fast')
      world.disturb(what, server)
      if (what === 'demote' && !server.primary) wire.dismiss(server, 'fast')
      if (what === 'heal') wire.heal(server)
  }
}

/** From now on all is well with the cluster; sessions of servers that are not what they were are ended. */
export function calmDown(wire: Wire): void {
  const { world } = wire
  const wasPrimary = world.servers.filter(({ primary }) => primary)
  world.calmDown()
  for (const server of world.servers) {
    if (!server.up) wire.dismiss(server, 'killed')
    else if (wasPrimary.includes(server) && !server.primary) wire.dismiss(server, 'fast')
    wire.heal(server)
  }
}

/** There is one true primary, ahead of everybody, and everybody can be reached or is silent at once. */
export function isWell({ servers, ours }: World): boolean {
  const [leader, rival] = ours.filter(({ primary }) => primary)
  return (
    leader !== undefined &&
    rival === undefined &&
    leader.up &&
    !leader.fenced &&
    ours.every(({ timeline }) => timeline <= leader.timeline) &&
    servers.every(({ reachable, full, slowMillis, lie }) => reachable && !full && slowMillis === 0 && lie === undefined)
  )
}
