import { isSameIncarnation } from '../core/outcome/incarnation'
import type { Doubt, LookUp, Witness } from '../core/outcome/incarnation'
import { noEvidence } from '../core/outcome/evidence'
import { judge } from '../core/outcome/judge'
import type { PoolClient, Session } from '../pool/session'
import { asText } from '../runtime/as-text'
import { onLeader } from './look-up'
import type { LookUpPort } from './look-up'
import type { AcknowledgedBook, Lost } from './proof'
import { Recent } from './recent'
import { askIncarnation, ofOneServer } from './witness-look-up'

interface Entry {
  readonly host: string
  readonly witness: Witness
  readonly incarnation: Doubt['incarnation']
  readonly tag: string | undefined
}

/** The last transactions that carried a witness and whose COMMIT was answered. */
export class Acknowledged implements AcknowledgedBook<Witness> {
  readonly #recent = new Recent<Entry>()

  /** One more has been acknowledged. */
  add({ host, server }: Session, witness: Witness | undefined, tag: string | undefined): void {
    if (witness === undefined || server === undefined) return
    this.#recent.add({ host, witness, incarnation: server.incarnation, tag })
  }

  /**
   * Asks the leader which of them its history lacks; of none is that asked twice. What is found is kept until it has been
   * told. Rejects if the leader cannot be asked.
   */
  async findLost(port: LookUpPort): Promise<Lost> {
    const { last } = this.#recent
    if (last.length > 0) await this.#ask(port, last)
    return this.#recent.lost
  }

  told(): void {
    this.#recent.told()
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
    this.#recent.lose(lost)
    this.#recent.forget(suspects)
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
