import { sharedNow } from '../bench/support/clock'
import type { Cluster, Host } from '../test/support'

/** Where one timeline ended and the next began. */
export interface Fork {
  /** The one that ended. */
  readonly timeline: number
  readonly lsn: number
  /** Before the promotion was asked for, and when it was done. Infinity where the soak saw none. */
  readonly askedAt: number
  readonly doneAt: number
}

/** Promotions that this process asked for. */
export interface Promotion {
  readonly askedAt: number
  readonly doneAt: number
  /** The timeline that it made. */
  readonly timeline: number
}

/** Promotes a host and notes when. */
export async function promote(cluster: Cluster, host: Host, promotions: Promotion[]): Promise<void> {
  const askedAt = sharedNow()
  await cluster.promote(host)
  const doneAt = sharedNow()
  const [row] = await host.query<{ timeline: number }>(
    `select ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int as timeline`,
  )
  promotions.push({ askedAt, doneAt, timeline: row?.timeline ?? 0 })
}

/** The history of the surviving primary: every timeline before its own, and where it ended. */
export async function readForks(primary: Host, promotions: readonly Promotion[]): Promise<readonly Fork[]> {
  const files = await primary.query<{ name: string; text: string }>(
    `select name, pg_read_file('pg_wal/' || name) as text from pg_ls_waldir() where name like '%.history' order by name desc limit 1`,
  )
  const lines = (files[0]?.text ?? '').split('\n').filter((line) => /^\d/.test(line))
  return lines.map((line, index) => {
    const [timeline = '', lsn = ''] = line.split('\t')
    const next = Number(lines[index + 1]?.split('\t')[0] ?? Number.parseInt(files[0]?.name ?? '', 16))
    const promotion = promotions.find((each) => each.timeline === next)
    return {
      timeline: Number(timeline),
      lsn: parseLsn(lsn),
      askedAt: promotion?.askedAt ?? Infinity,
      doneAt: promotion?.doneAt ?? Infinity,
    }
  })
}

function parseLsn(text: string): number {
  const [high = '', low = ''] = text.split('/')
  return Number.parseInt(high, 16) * 2 ** 32 + Number.parseInt(low, 16)
}
