import type { TransactionPort } from '../execution/transaction'
import { createLog } from '../runtime/log'
import { after } from '../runtime/timer'
import type { FailoverStory } from '../telemetry/failover-story'

const log = createLog('pool')

/** How long after the last held caller was served the story of a failover is told: what was cut has settled by then. */
const epilogueMillis = 20

/** What the end of a story needs of its pool. */
export interface ConclusionPort {
  readonly story: FailoverStory
  readonly transactions: TransactionPort
  generation(): number
  ending(): boolean
}

/** Tells the story of a failover, once it is over: by and by, and at its end what was acknowledged and is gone. */
export function concludeSoon(port: ConclusionPort): void {
  if (!port.story.pending) return
  after(epilogueMillis, () => {
    if (!port.story.over && !port.ending()) concludeSoon(port)
    else void conclude(port)
  })
}

async function conclude({ story, transactions, generation, ending }: ConclusionPort): Promise<void> {
  const told = generation()
  const { acknowledged } = transactions.proof
  const lost = await acknowledged.findLost(transactions).catch((error: unknown) => {
    log('what was lost with the old leader cannot be found out: %s', (error as Error).message)
    return undefined
  })
  // Meanwhile another one may lead, whose story is not at its end.
  if (told !== generation() && !ending()) return
  story.conclude(lost)
  acknowledged.told()
}
