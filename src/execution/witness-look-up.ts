import type { Doubt, LookUp } from '../core/outcome/incarnation'
import { serverCode } from '../core/retry/sqlstate'
import type { PoolClient } from '../pool/session'
import { asText } from '../runtime/as-text'
import { createLog } from '../runtime/log'
import { onLeader } from './look-up'
import type { LookUpPort } from './look-up'
import type { Row } from './proof'
import { incarnationQuestion, readIncarnation } from './witness'

const log = createLog('execution')

/** One question to the leader; undefined if who answered is none. */
export function askOf(port: LookUpPort, { witness }: Doubt): Promise<LookUp | undefined> {
  return onLeader(port, (client, host) =>
    ofOneServer(client, async () => {
      const incarnation = await askIncarnation(client)
      return incarnation && { host, incarnation, status: await statusOf(client, witness.xid) }
    }),
  )
}

/** Several questions to one and the same server: what stands in between may lend each transaction another one. */
export async function ofOneServer<T>(client: PoolClient, work: () => Promise<T>): Promise<T> {
  await query(client, 'begin', [])
  const answer = await work()
  await query(client, 'rollback', [])
  return answer
}

/** What the server at the other end is; undefined for a standby. */
export async function askIncarnation(client: PoolClient): Promise<LookUp['incarnation'] | undefined> {
  const told = await query(client, incarnationQuestion, [])
  if (told['in_recovery'] === 'true' || told['incarnation'] == null) return undefined
  return readIncarnation(JSON.parse(told['incarnation']) as Row)
}

async function statusOf(client: PoolClient, xid: string): Promise<LookUp['status']> {
  try {
    const { status } = await query(client, 'select pg_xact_status($1::xid8) as status', [xid])
    return (status ?? undefined) as LookUp['status']
  } catch (error) {
    if (serverCode(error) === '22023') return 'in the future'
    throw error
  }
}

/**
 * Our own backend, which has not noticed that nobody is there any more: the same pid may be somebody else's by now, but not
 * with the same transaction. What waits for a synchronous standby has committed already and is left alone.
 */
export async function endOwnSession(port: LookUpPort, { witness }: Doubt, pid: number): Promise<void> {
  const text = `select pg_terminate_backend(pid)::text as ended from pg_stat_activity
    where pid = $1::int and backend_xid::text = $2 and wait_event is distinct from 'SyncRep'`
  const backendXid = String(BigInt(witness.xid) & 0xffffffffn)
  const ended = await onLeader(port, (client) => query(client, text, [pid, backendXid]))
  if (ended['ended'] === 'true') log('%s: its session went on without us and was ended', witness.xid)
}

async function query(client: PoolClient, text: string, values: readonly unknown[]): Promise<Row> {
  const { rows } = await client.query<Row>({ text, values: [...values], types: asText })
  return rows[0] ?? {}
}
