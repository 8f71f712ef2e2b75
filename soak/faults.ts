import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from '../test/support/child'
import type { Cluster, Host } from '../test/support'
import { cutReplication } from '../test/support/cut-replication'
import type { Chance } from './chance'
import type { SoakClient } from './client'
import { promote } from './history'
import type { Promotion } from './history'

/** What a fault has at hand. */
export interface Scene {
  readonly cluster: Cluster
  readonly client: Child<SoakClient>
  readonly chance: Chance
  readonly primary: Host
  /** The standbys, in the order in which they are to be promoted. */
  readonly standbys: readonly [Host, ...Host[]]
  readonly promotions: Promotion[]
}

type Fault = (scene: Scene) => Promise<unknown>

/** How long a fault goes on: mostly short, sometimes beyond what the monitor bears. */
const aWhile = ({ chance }: Scene): Promise<void> =>
  sleep(chance.next() < 0.7 ? chance.between(0, 400) : chance.between(400, 4000))

const promoteNext = ({ cluster, standbys, promotions }: Scene, index = 0): Promise<void> =>
  promote(cluster, standbys[index] ?? standbys[0], promotions)

async function killAndPromote(scene: Scene): Promise<void> {
  await scene.primary.kill()
  await aWhile(scene)
  await promoteNext(scene)
}

/** Every fault ends with a primary; who does not follow it then is made to by the caller. */
export const faults: Readonly<Record<string, Fault>> = {
  'kill -9 and promotion': killAndPromote,

  'immediate stop and promotion': async (scene) => {
    await scene.primary.stop('immediate')
    await aWhile(scene)
    await promoteNext(scene)
  },

  'kill -9 with a lost tail, and promotion': async (scene) => {
    await cutReplication(scene.cluster, scene.primary)
    await aWhile(scene)
    await killAndPromote(scene)
  },

  'freeze, promotion, thaw': async (scene) => {
    await scene.primary.freeze()
    await aWhile(scene)
    await promoteNext(scene)
    await aWhile(scene)
    await scene.primary.thaw()
    await aWhile(scene)
  },

  'promotion while the old primary lives on': async (scene) => {
    await promoteNext(scene)
    await aWhile(scene)
  },

  'two failovers in a row': async (scene) => {
    await killAndPromote(scene)
    // The second one has to know of the first one's timeline, or it would make the same one again.
    const [first, second] = scene.standbys
    if (second === undefined) return
    await scene.cluster.rejoin(second, first)
    await first.kill()
    await promoteNext(scene, 1)
  },

  switchover: async ({ cluster, standbys: [next], chance }) =>
    cluster.switchover(next, { followAfterMillis: chance.between(0, 200) }),

  'freeze and thaw': async (scene) => {
    await scene.primary.freeze()
    await aWhile(scene)
    await scene.primary.thaw()
  },

  'restart in place': async ({ primary, chance }) => primary.restart(chance.pick(['fast', 'immediate', 'kill'])),

  'a backend killed -9, and all others with it': async ({ primary }) => {
    const [row] = await primary.query<{ pid: number }>(
      `select pid from pg_stat_activity where application_name = 'pg-leader-soak' order by random() limit 1`,
    )
    if (row !== undefined) await primary.killBackend(row.pid)
  },

  'every backend terminated': async ({ primary }) =>
    primary.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pg-leader-soak'`),

  'a standby killed -9': async ({ standbys: [standby] }) => standby.restart('kill'),

  'a standby frozen and thawed': async (scene) => {
    await scene.standbys[0].freeze()
    await aWhile(scene)
    await scene.standbys[0].thaw()
  },

  'every standby stopped': async (scene) => {
    await Promise.all(scene.standbys.map((standby) => standby.stop(scene.chance.pick(['fast', 'immediate']))))
    await aWhile(scene)
    await Promise.all(scene.standbys.map((standby) => standby.start()))
  },

  'a blocked event loop': async ({ client, chance }) => client.call('block', chance.between(100, 5000)),

  'kill -9 and promotion behind a blocked event loop': async (scene) => {
    const blocked = scene.client.call('block', scene.chance.between(500, 5000))
    await killAndPromote(scene)
    await blocked
  },
}
