import { describe, expect, it } from 'vitest'
import { Acknowledged } from '../../../src/execution/acknowledged'
import type { LookUpPort } from '../../../src/execution/look-up'
import type { Session } from '../../../src/pool/session'
import { leaderThat } from './support/leader'

const incarnation = {
  systemIdentifier: 'X',
  timeline: 1,
  postmasterStartTime: 's1',
  replayLsn: undefined,
  statsReset: undefined,
}
const session = { host: 'a', server: { incarnation, direct: true, local: true } } as unknown as Session

/** A leader that was promoted at this position; every id that it knows is committed. How many ids it was asked for. */
function leaderAt(replayLsn: string, timeline = 2): { readonly port: LookUpPort; readonly asked: number[] } {
  const asked: number[] = []
  const answer = JSON.stringify({
    system_identifier: 'X',
    timeline: String(timeline),
    started: 's2',
    replay_lsn: replayLsn,
  })
  const query = async ({ text, values }: { text: string; values: readonly string[][] }): Promise<unknown> => {
    if (!text.includes('pg_xact_status')) return { rows: [{ in_recovery: 'false', incarnation: answer }] }
    const xids = values[0] ?? []
    asked.push(xids.length)
    return { rows: xids.map((xid) => ({ xid, status: 'committed' })) }
  }
  return { port: leaderThat(query), asked }
}

describe('Acknowledged', () => {
  it('counts what lies behind the point at which the leader was promoted, until that is told', async () => {
    const acknowledged = new Acknowledged()
    acknowledged.add(session, { xid: '1', lsn: 0x90n }, 'there')
    acknowledged.add(session, { xid: '2', lsn: 0x110n }, 'gone')
    acknowledged.add(session, { xid: '3', lsn: 0x120n }, undefined)
    acknowledged.add(session, undefined, 'without a witness')
    const { port, asked } = leaderAt('0/100')
    const lost = { count: 2, tags: ['gone'] }
    expect(await acknowledged.findLost(port)).toEqual(lost)
    expect(await acknowledged.findLost(port)).toEqual(lost)
    expect(asked).toEqual([1])
    acknowledged.told()
    expect(await acknowledged.findLost(port)).toEqual({ count: 0, tags: [] })
  })

  it('counts once what two failovers that are looked into at the same time find', async () => {
    const acknowledged = new Acknowledged()
    acknowledged.add(session, { xid: '2', lsn: 0x110n }, 'gone')
    const { port } = leaderAt('0/100')
    const [, second] = await Promise.all([acknowledged.findLost(port), acknowledged.findLost(port)])
    expect(second).toEqual({ count: 1, tags: ['gone'] })
  })

  it('counts what a leader on an older timeline does not have: it has been elected, so history has gone back', async () => {
    const acknowledged = new Acknowledged()
    const later = { host: 'a', server: { incarnation: { ...incarnation, timeline: 3 }, direct: true, local: true } }
    acknowledged.add(later as unknown as Session, { xid: '2', lsn: 0x110n }, 'gone')
    expect(await acknowledged.findLost(leaderAt('0/100').port)).toEqual({ count: 1, tags: ['gone'] })
  })

  it('remembers the last 10,000', async () => {
    const acknowledged = new Acknowledged()
    for (let xid = 0; xid < 25_000; xid += 1) acknowledged.add(session, { xid: String(xid), lsn: 0x110n }, String(xid))
    const { count, tags } = await acknowledged.findLost(leaderAt('0/100').port)
    expect([count, tags[0], tags.at(-1)]).toEqual([10_000, '15000', '24999'])
  })
})
