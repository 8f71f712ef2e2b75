/** What the workload is made of. `upsert` and `read` are what may be sent again: they are asked of those who can be told so. */
export type Kind = 'insert' | 'upsert' | 'read'

/** One call of the workload and what became of it. Times are those of the shared clock. */
export interface Operation {
  readonly kind: Kind
  readonly id: number
  readonly startedAt: number
  readonly endedAt: number
  /** The port of the server that acknowledged it, 0 where the statement does not tell. */
  readonly port?: number
  /** How it failed; `no answer` if it was still open at the end. */
  readonly failure?: string
}

export const noAnswer = 'no answer'

/** A short name for an error: its class if it is one of ours, else its code, else its text. */
export function failureName(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name.endsWith('Error') && error.name !== 'Error' && !('severity' in error)) {
    if (!['TypeError', 'AggregateError', 'PostgresError'].includes(error.name)) return error.name
  }
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : error.message.slice(0, 60)
}
