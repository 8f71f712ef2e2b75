import { poll } from '../../../support'
import type { Cluster, Host } from '../../../support'
import { stopReceiving } from '../../../support/cut-replication'
import { replayed, timelineOf } from '../../../support/replication'
import { heal, keyOf } from '../../pool/support/clusters'
import { others, unheard } from './fault'
import type { Fault } from './fault'
import type { Writers } from './writers'

/** Two hosts that have left the primary's history at one point, each for itself, on timelines of the same number. */
interface Fork {
  readonly first: Host
  readonly second: Host
  /** Where the first one left it. */
  readonly point: string
}

/** The primary is lost; of two standbys that have the same of its WAL one is promoted, and transactions run on it. */
async function forkOff(primary: Host, cluster: Cluster, writers: Writers): Promise<Fork> {
  const [first, second] = others(cluster, primary) as [Host, Host]
  await unheard(writers, async () => {
    await primary.kill()
    await level(cluster, first, second)
    await cluster.promote(first)
    return first
  })
  // Those that wait for a standby wait from now on.
  await writers.progress(20)
  return { first, second, point: await recoveredTo(first) }
}

/** The second one takes over from a server of its own number and point. */
export const promotedOneAfterTheOther: Fault['inflict'] = async (primary, cluster, writers) => {
  const { first, second, point } = await forkOff(primary, cluster, writers)
  await unheard(writers, async () => {
    await first.kill()
    await cluster.promote(second)
    return second
  })
  await expectFork(second, point)
  await heal(cluster)
}

/** They are there at once; the one that is followed is lost, and whoever is in charge says that the other one has it now. */
export const promotedSideBySide: Fault['inflict'] = async (primary, cluster, writers) => {
  const { pool } = writers
  const isTold = new Promise((resolve) => pool.once('splitBrain', resolve))
  const { first, second, point } = await forkOff(primary, cluster, writers)
  await cluster.promote(second)
  await isTold
  await unheard(writers, async () => {
    await first.kill()
    pool.topology.reset()
    return second
  })
  await expectFork(second, point)
  await heal(cluster)
}

/**
 * A standby stays with a primary that lives on when another one has been promoted. When all others are lost it is promoted
 * in its turn: by way of the archive it knows that there has been a timeline since, and takes the number behind that, but it
 * has none of its history. Its own is as long, and strangers have the same ids in it.
 */
export const promotedFromOlderTimeline: Fault['inflict'] = async (old, cluster, writers) => {
  const [next, left] = others(cluster, old) as [Host, Host]
  const timeline = (await timelineOf(old)) ?? 0
  // Of what is under way on a history that comes back later nobody could say anything that stays true.
  await writers.pool.pause()
  await cluster.waitForReplication()
  await stopReceiving(next)
  await cluster.promote(next)
  const isArchived = `select from pg_ls_archive_statusdir() where name = '${timelineName(timeline + 1)}.history.done'`
  await poll(async () => (await next.query(isArchived)).length > 0, { what: 'the new timeline is in the archive' })
  await poll(() => writers.pool.topology.leader === keyOf(next), { what: 'the new leader is followed' })
  writers.pool.resume()
  await writers.progress(30)
  await old.query('call burn(3000)')
  await old.query(`select pg_logical_emit_message(false, '', repeat('-', 4000000))`)
  await replayed(left, await writtenBy(old))
  const reached = await writtenBy(next)
  await unheard(writers, async () => {
    await next.kill()
    await old.kill()
    await cluster.promote(left)
    return left
  })
  const [{ isAsLong } = { isAsLong: false }] = await left.query<{ isAsLong: boolean }>(
    'select pg_last_wal_replay_lsn() > $1::pg_lsn as "isAsLong"',
    [reached],
  )
  if ((await timelineOf(left)) !== timeline + 2 || !isAsLong) throw new Error('it is not the fork that was meant')
  await heal(cluster)
}

/** As in the names of its WAL files. */
function timelineName(timeline: number): string {
  return timeline.toString(16).toUpperCase().padStart(8, '0')
}

/** Two standbys without a primary get the same WAL, to the byte, and no more. */
async function level(cluster: Cluster, one: Host, other: Host): Promise<void> {
  const isAhead = 'select pg_last_wal_receive_lsn() >= $1::pg_lsn as "isAhead"'
  const [row] = await one.query<{ isAhead: boolean }>(isAhead, [await received(other)])
  const [ahead, behind] = row?.isAhead === true ? [one, other] : [other, one]
  await cluster.repoint(behind, ahead)
  const isLevel = async (): Promise<boolean> => (await received(behind)) === (await received(ahead))
  await poll(isLevel, { what: `${behind.name} has what ${ahead.name} has` })
  for (const host of [behind, ahead]) await stopReceiving(host)
}

async function expectFork(host: Host, point: string): Promise<void> {
  const its = await recoveredTo(host)
  if (its !== point) throw new Error(`${host.name} left at ${its}, and the other one at ${point}`)
}

const received = (host: Host): Promise<string> => lsn(host, 'pg_last_wal_receive_lsn()')
const recoveredTo = (host: Host): Promise<string> => lsn(host, 'pg_last_wal_replay_lsn()')
const writtenBy = (host: Host): Promise<string> => lsn(host, 'pg_current_wal_lsn()')

async function lsn(host: Host, expression: string): Promise<string> {
  const [row] = await host.query<{ lsn: string | null }>(`select ${expression} as lsn`)
  return row?.lsn ?? '0/0'
}
