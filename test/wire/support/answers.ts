/** What a fake server is at this moment. */
export interface Role {
  readonly recovery: boolean
  readonly readOnly: boolean
  readonly timeline: number
  readonly systemIdentifier: string
  /** When its postmaster started, in seconds. */
  readonly started: number
  /** Where the recovery ended that it came from, or how far a standby has replayed; null after a clean start. */
  readonly replayLsn: string | null
  /** `server_version_num`. */
  readonly version: number
}

/** The result of one statement. */
export interface Answer {
  /** Undefined: it returns no rows, not even none. */
  readonly columns: readonly string[] | undefined
  readonly rows: readonly (readonly (string | null)[])[]
  readonly tag: string
}

const returnsRows = /^(select|with|values|table|show|call)\b|\breturning\b/i

/** A statement of a monitor's, by which it is told from an application. */
export function isMonitorQuestion(text: string): boolean {
  return / as recovery\b/.test(text)
}

/** The answer to whatever wants to know who this is. */
export function roleAnswer(text: string, role: Role): Answer | undefined {
  if (!text.includes('pg_is_in_recovery()')) return undefined
  const brief = { recovery: role.recovery ? 't' : 'f', read_only: role.readOnly ? 'on' : 'off' }
  const full = {
    system_identifier: role.systemIdentifier,
    timeline: String(role.timeline),
    started: String(role.started),
    lsn: '0/3000000',
    replay_lsn: role.replayLsn,
  }
  const row: Record<string, string | null> = text.includes('system_identifier') ? { ...brief, ...full } : brief
  return { columns: Object.keys(row), rows: [Object.values(row)], tag: 'SELECT 1' }
}

/** The answer to a statement of an application's: `count` rows of one column, if it returns any. */
export function plainAnswer(text: string, count: number): Answer {
  const verb = (/^\w+/.exec(text)?.[0] ?? '').toUpperCase()
  const rows = Array.from({ length: count }, (_, index) => [String(index + 1)])
  const tags: Record<string, string> = { INSERT: `INSERT 0 ${count}`, CALL: 'CALL' }
  if (!returnsRows.test(text)) return { columns: undefined, rows: [], tag: tags[verb] ?? verb }
  return { columns: ['n'], rows, tag: tags[verb] ?? `SELECT ${count}` }
}

/** The role as ParameterStatus tells it. */
export function roleParameters(role: Role): readonly (readonly [name: string, value: string])[] {
  return [
    ['in_hot_standby', role.recovery ? 'on' : 'off'],
    ['default_transaction_read_only', role.readOnly ? 'on' : 'off'],
  ]
}
