import { isSameIncarnation } from '../core/outcome/incarnation'
import type { Doubt, LookUp, Witness } from '../core/outcome/incarnation'
import { noEvidence } from '../core/outcome/evidence'
import { judge } from '../core/outcome/judge'
import type { PoolClient, Session } from '../pool/session'
import { asText } from '../runtime/as-text'
import { onLeader } from './look-up'
import type { LookUpPort } from './look-up'
import type { AcknowledgedBook, Lost } from './proof'
import { askIncarnation, ofOneServer } from './witness-look-up'

/** So many of the last transactions are remembered: those that a failover may have cut off are among the last. */
const most = 10_000

interface Entry {
  readonly host: string
  readonly witness: Witness
  readonly incarnation: Doubt['incarnation']
  readonly tag: string | undefined
}

/** The last transactions that carried a witness and whose COMMIT was answered. */
export class Acknowledged implements AcknowledgedBook<Witness> {
  /** In the order in which they were acknowledged; the oldest go many at a time. */
  #entries: Entry[] = []
  /** What was found to be lost and has not been told yet. */
  #lost: Entry[] = []

  /** One more has been acknowledged. */
  add({ host, server }: Session, witness: Witness | undefined, tag: string | undefined): void {
    if (witness === undefined || server === undefined) return
    this.#entries.push({ host, witness, incarnation: server.incarnation, tag })
    if (this.#entries.length >= 2 * most) this.#entries = this.#entries.slice(-most)
  }

  /**
   * Asks the leader which of them its history lacks; of none is that asked twice. What is found is kept until it has been
   * told. Rejects if the leader cannot be asked.
   */
  async findLost(port: LookUpPort): Promise<Lost> {
    if (this.#entries.length > 0) await this.#ask(port, this.#entries.slice(-most))
    return { count: this.#lost.length, tags: this.#lost.flatMap(({ tag }) => (tag === undefined ? [] : [tag])) }
  }

  told(): void {
    this.#lost = []
  }

  async #ask(port: LookUpPort, entries: readonly Entry[]): Promise<void> {
    const { suspects, lost } = await onLeader(port, (client, host) =>
      ofOneServer(client, async () => {
        const incarnation = await askIncarnation(client)
        if (incarnation === undefined) throw new Error('the host that answered is a standby')
        const suspects = new Set(entries.filter((entry) => !isOf(entry, incarnation)))
        return { suspects, lost: await findAborted(client, host, incarnation, [...suspects]) }
      }),
    )
    // Two failovers may have been looked into at once: what the first one found has been taken out already.
    const present = new Set(this.#entries)
    this.#lost.push(...lost.filter((entry) => present.has(entry)))
    // What was acknowledged meanwhile stays.
    this.#entries = this.#entries.filter((entry) => !suspects.has(entry))
  }
}

function isOf({ incarnation: was }: Entry, is: LookUp['incarnation']): boolean {
  return was.systemIdentifier === is.systemIdentifier && isSameIncarnation(was, is)
}

async function findAborted(
  client: PoolClient,
  host: string,
  incarnation: LookUp['incarnation'],
  suspects: readonly Entry[],
): Promise<readonly Entry[]> {
  const { replayLsn } = incarnation
  // Behind its recovery there may be ids that it does not know, which are an error to ask for.
  const isBehind = ({ witness }: Entry): boolean => replayLsn !== undefined && witness.lsn > replayLsn
  const asked = suspects.filter((entry) => !isBehind(entry)).map(({ witness }) => witness.xid)
  const { rows } = await client.query<{ xid: string; status: string | null }>({
    text: 'select x as xid, pg_xact_status(x::xid8) as status from unnest($1::text[]) x',
    values: [asked],
    types: asText,
  })
  const statuses = new Map(rows.map(({ xid, status }) => [xid, status ?? undefined]))
  return suspects.filter((entry) => {
    const status = isBehind(entry) ? 'in the future' : (statuses.get(entry.witness.xid) as LookUp['status'])
    return judge(doubtOf(entry, incarnation), { host, incarnation, status }, noEvidence).outcome === 'aborted'
  })
}

/**
 * Only what is certainly undone is wanted: nothing has to be known of the end of its session. Who is asked has been elected:
 * if its timeline is an older one, then history has gone back to that.
 */
function doubtOf(
  { host, witness, incarnation: was }: Entry,
  { timeline = was.timeline }: LookUp['incarnation'],
): Doubt {
  const incarnation = { ...was, timeline: Math.min(was.timeline, timeline) }
  return { host, witness, incarnation, direct: false, witnessedAt: 0, lostAt: 0, closedByPeer: false, stalled: true }
}
