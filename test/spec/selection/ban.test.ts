import { expect, it } from 'vitest'
import { ban, bannedForMillis, forgive, isBanned, noBans, noteAnswer } from '../../../src/core/selection/ban'
import fixtures from './ban.json'

/**
 * A story: `TIME HOST fails` is a read that failed, `TIME HOST answers` a probe that was sent then and answered well,
 * `TIME HOST leaves` that it left the list;
 * `TIME HOST free` and `TIME HOST banned for MILLIS` say what is so at that time.
 */
it.each(fixtures)('$name', ({ story }) => {
  let bans = noBans
  const told = story.map((line) => {
    const [time = '', key = '', what] = line.split(' ')
    const at = Number(time)
    if (what === 'fails') bans = ban(bans, key, at)
    else if (what === 'answers') bans = noteAnswer(bans, key, at)
    else if (what === 'leaves') bans = forgive(bans, key)
    else return `${time} ${key} ${isBanned(bans, key, at) ? `banned for ${bannedForMillis(bans, key, at)}` : 'free'}`
    return line
  })
  expect(told).toEqual(story)
})
