import { expect, it } from 'vitest'
import { formatLsn, parseLsn } from '../../../src/core/outcome/lsn'
import { lagOf, noteLeader, noTrack } from '../../../src/core/selection/lag'
import type { LagTrack } from '../../../src/core/selection/lag'
import fixtures from './lag.json'

/**
 * A story: `leader TIME LSN [TIMELINE]` is an answer of the leader; `standby TIME LSN: LAG` says how far behind one is (`-` for
 * a position that cannot be read), `beginning LSN` where the leader's timeline was first seen.
 */
it.each(fixtures)('$name', ({ story }) => {
  let track = noTrack
  const told = story.map((line) => {
    const [who = '', ...words] = line.replace(/:.*/, '').split(' ')
    if (who === 'leader') {
      track = note(track, words)
      return line
    }
    if (who === 'beginning') return `beginning ${formatLsn(track.beginning?.lsn ?? -1n)}`
    const [at = '', lsn] = words
    const lag = lagOf(track, { at: Number(at), lsn: parseLsn(lsn) })
    return `${who} ${at} ${lsn}: ${lag === undefined ? 'unknown' : `${lag.bytes} bytes, ${lag.millis} ms`}`
  })
  expect(told).toEqual(story)
})

function note(track: LagTrack, [at, lsn, timeline]: readonly string[]): LagTrack {
  const position = parseLsn(lsn) ?? expect.unreachable(`no position: ${lsn}`)
  return noteLeader(track, Number(at), position, timeline === undefined ? undefined : Number(timeline))
}
