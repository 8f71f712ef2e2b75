import type { HostKey } from '../core/topology/host'

/** Sends one statement to a host, over a session of its readers. */
export type Ask = (host: HostKey, query: object) => Promise<{ readonly rows: readonly AnswerRow[] }>

/** A row as the server sends it. */
export type AnswerRow = Readonly<Record<string, string | null | undefined>>
