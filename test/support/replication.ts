import { chown, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Host } from './host'
import type { ServerIdentity } from './identity'
import { poll } from './poll'
import { withClient } from './session'
import { quote } from './settings'
import { CREDENTIALS } from './template'

/** What a standby is told of its upstream. */
export function primaryConninfo(standby: Host, upstream: Host): string {
  const { user, password } = CREDENTIALS
  const { host, port } = upstream.address
  const parameters = { host, port, user, password, application_name: standby.name }
  const text = Object.entries({ ...parameters, sslmode: 'disable', gssencmode: 'disable' })
  return text.map(([name, value]) => `${name}=${value}`).join(' ')
}

/** Makes a data directory that nobody runs on one of a standby. Other settings made by ALTER SYSTEM stay. */
export async function becomeStandby(host: Host, upstream: Host, identity: ServerIdentity): Promise<void> {
  const auto = join(host.dataDirectory, 'postgresql.auto.conf')
  const kept = (await readFile(auto, 'utf8'))
    .split('\n')
    .filter((line) => !/^primary_(conninfo|slot_name)\b/.test(line))
  await writeFile(auto, `${kept.join('\n')}\nprimary_conninfo = ${quote(primaryConninfo(host, upstream))}\n`)
  await writeOwned(join(host.dataDirectory, 'standby.signal'), '', identity)
}

/** A file that belongs to the servers' user. */
export async function writeOwned(path: string, content: string, identity: ServerIdentity): Promise<void> {
  await rm(path, { force: true })
  await writeFile(path, content, { mode: 0o600 })
  if (identity !== undefined) await chown(path, identity.uid, identity.gid)
}

/** Tells a running standby to follow somebody else. */
export async function pointTo(host: Host, upstream: Host): Promise<void> {
  await withClient(host, async (client) => {
    await client.query(`alter system set primary_conninfo = ${quote(primaryConninfo(host, upstream))}`)
    await client.query('select pg_reload_conf()')
  })
}

/** The timeline of a primary; undefined for a standby. */
export async function timelineOf(host: Host): Promise<number | undefined> {
  const [row] = await host.query<{ timeline: string | null }>(
    'select case when not pg_is_in_recovery() then substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) end as timeline',
  )
  return row?.timeline ? Number.parseInt(row.timeline, 16) : undefined
}

/**
 * What became of a standby that follows `upstream`: it `streams` (the upstream's timeline, and both sides say so), it has
 * `diverged` (it replayed what the upstream never had, and says so in its log from `logOffset` on), or its replay is
 * `paused` and it will not ask.
 */
export async function followed(
  host: Host,
  upstream: Host,
  logOffset: number,
): Promise<'streams' | 'diverged' | 'paused'> {
  const timeline = await timelineOf(upstream)
  return withClient(upstream, (sender) =>
    withClient(host, (receiver) =>
      poll(
        async () => {
          const { rows } = await receiver.query<{ paused: boolean; tli: number | null }>(RECEIVES, [
            upstream.address.host,
            upstream.address.port,
          ])
          const [row] = rows
          if (row?.tli && (timeline === undefined || row.tli === timeline)) {
            const { rows: sends } = await sender.query<{ streams: boolean }>(SENDS, [host.name])
            if (sends[0]?.streams) return 'streams'
          }
          if (row?.paused) return 'paused'
          const news = (await host.log()).slice(logOffset)
          return /new timeline \d+ forked off .* before current recovery point/.test(news) ? 'diverged' : undefined
        },
        { what: `${host.name} follows ${upstream.name}`, intervalMillis: 10 },
      ),
    ),
  )
}

const RECEIVES = `select pg_is_wal_replay_paused() as paused,
  (select received_tli from pg_stat_wal_receiver where status = 'streaming' and sender_host = $1 and sender_port = $2) as tli`
/** One alone: that of an earlier connection may not have been noticed dead yet. */
const SENDS = `select count(*) = 1 and bool_and(state = 'streaming') as streams
  from pg_stat_replication where application_name = $1`

/** Waits until a standby has replayed all up to an LSN. */
export async function replayed(host: Host, lsn: string, timeoutMillis?: number): Promise<void> {
  await withClient(host, (client) =>
    poll(
      async () => {
        const text = 'select pg_last_wal_replay_lsn() >= $1::pg_lsn as done'
        return (await client.query<{ done: boolean | null }>(text, [lsn])).rows[0]?.done === true
      },
      { what: `${host.name} has replayed ${lsn}`, ...(timeoutMillis === undefined ? {} : { timeoutMillis }) },
    ),
  )
}

/** An LSN as PostgreSQL writes it. */
export function formatLsn(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffffffffn).toString(16)}`.toUpperCase()
}
