import { setTimeout as sleep } from 'node:timers/promises'
import { sharedNow } from '../bench/support/clock'
import { heal } from '../test/support/heal'
import { poll } from '../test/support'
import type { Cluster } from '../test/support'
import type { Child } from '../test/support/child'
import { Chance } from './chance'
import type { SoakClient } from './client'
import { faults } from './faults'
import type { Promotion } from './history'

/** What was done to the cluster. */
export interface Chaos {
  readonly promotions: readonly Promotion[]
  /** How often each fault was inflicted. */
  readonly inflicted: ReadonlyMap<string, number>
}

/** Inflicts one fault after another until the time is over, and leaves a cluster that is whole. */
export async function wreakHavoc(
  cluster: Cluster,
  client: Child<SoakClient>,
  { seed, until, say }: { seed: number; until: number; say: (line: string) => void },
): Promise<Chaos> {
  const chance = new Chance(seed)
  const promotions: Promotion[] = []
  const inflicted = new Map<string, number>()
  let deck: string[] = []
  while (sharedNow() < until) {
    // Each comes up once before any comes up again.
    if (deck.length === 0) deck = shuffled(Object.keys(faults), chance)
    const what = deck.pop() ?? ''
    const primary = await cluster.primary()
    const [next, ...others] = shuffled(
      cluster.hosts.filter((host) => host !== primary),
      chance,
    )
    if (next === undefined) throw new Error('a soak needs two hosts')
    say(`${primary.name} leads, ${next.name} is next: ${what}`)
    inflicted.set(what, (inflicted.get(what) ?? 0) + 1)
    const standbys = [next, ...others] as const
    await faults[what]?.({ cluster, client, chance, primary, standbys, promotions })
    // Some are still at their crash recovery.
    await poll(() => cluster.primary().catch(() => undefined), { what: 'there is a primary' })
    await heal(cluster)
    await sleep(chance.between(100, 1500))
  }
  return { promotions, inflicted }
}

function shuffled<T>(items: readonly T[], chance: Chance): T[] {
  return items
    .map((item) => ({ item, order: chance.next() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item)
}
