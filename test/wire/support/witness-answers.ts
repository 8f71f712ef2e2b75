import type { Answer, Role } from './answers'
import type { Ledger, Transaction } from './ledger'

/** Who is asked. */
export interface Witnessing {
  readonly role: Role
  readonly transaction: Transaction
  readonly ledger: Ledger
  /** The client's address and port as the server sees them. */
  readonly clientAddress: string
  readonly clientPort: number
  readonly host: { terminate(xid: string): boolean }
}

/** The pid in every BackendKeyData of a fake server. */
export const backendPid = 1

/** SQLSTATE of an answer that is an error. */
export interface Refusal {
  readonly refused: string
}

/**
 * The answer to whatever has to do with a witness: its columns are told from their names, whatever order they are asked
 * in.
 */
export function witnessAnswer(
  text: string,
  values: readonly (string | null)[],
  asked: Witnessing,
): Answer | Refusal | undefined {
  if (text.includes('pg_xact_status(x::xid8)')) return statusesOf(values[0] ?? '', asked.ledger)
  if (text.includes('pg_xact_status(')) return statusOf(values[0] ?? '', asked.ledger)
  if (text.includes('pg_terminate_backend(')) return oneRow({ ended: String(asked.host.terminate(values[1] ?? '')) })
  const names = [...text.matchAll(/\bas (\w+)/g)].map(([, name]) => name as string)
  const outer = names.at(-1)
  if (outer === 'incarnation') {
    const { recovery } = asked.role
    return oneRow({
      in_recovery: String(recovery),
      incarnation: recovery ? null : JSON.stringify(valuesOf(names.slice(1, -1), asked)),
    })
  }
  if (outer === 'server') {
    return oneRow({ server: asked.role.recovery ? null : JSON.stringify(valuesOf(names.slice(0, -1), asked)) })
  }
  return names[0] === 'xid' && names[1] === 'lsn' ? oneRow(valuesOf(names, asked, text)) : undefined
}

function statusOf(xid: string, ledger: Ledger): Answer | Refusal {
  const fate = ledger.ask(xid)
  return fate === 'in the future' ? { refused: '22023' } : oneRow({ status: fate })
}

/** Of many at a time, which are given as an array. */
function statusesOf(array: string, ledger: Ledger): Answer {
  const xids = [...array.matchAll(/\d+/g)].map(([xid]) => xid)
  return {
    columns: ['xid', 'status'],
    rows: xids.map((xid) => [xid, ledger.fateOf(xid)]),
    tag: `SELECT ${xids.length}`,
  }
}

function oneRow(row: Readonly<Record<string, string | null>>): Answer {
  return { columns: Object.keys(row), rows: [Object.values(row)], tag: 'SELECT 1' }
}

function valuesOf(names: readonly string[], asked: Witnessing, text = ''): Record<string, string | null> {
  const { role, transaction } = asked
  const isIfAssigned = text.includes('pg_current_xact_id_if_assigned()')
  const known: Readonly<Record<string, () => string | null>> = {
    xid: () => (isIfAssigned ? (transaction.assigned ?? null) : transaction.xid),
    lsn: () => (isIfAssigned && transaction.assigned === undefined ? null : '0/3000100'),
    system_identifier: () => role.systemIdentifier,
    timeline: () => String(role.timeline),
    started: () => String(role.started),
    replay_lsn: () => role.replayLsn,
    stats_reset: () => '1',
    client_address: () => asked.clientAddress,
    client_port: () => String(asked.clientPort),
    pid: () => String(backendPid),
  }
  return Object.fromEntries(
    names.map((name) => {
      const value = known[name]
      if (value === undefined) throw new Error(`the fake server does not know the column ${name}`)
      return [name, value()]
    }),
  )
}
