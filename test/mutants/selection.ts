import { mutantsOf, where } from './mutant'
import type { Mutant } from './mutant'

const { selectionSpec: spec } = where

/** What kind of session is wanted, and in which order hosts are tried. */
export const selectionMutants: readonly Mutant[] = [
  ...mutantsOf('src/core/selection/target-session-attrs.ts', [
    [
      'read-write needs both parameters to be off',
      'role.inHotStandby || role.defaultTransactionReadOnly',
      'role.defaultTransactionReadOnly',
      spec,
    ],
    [
      'primary asks for recovery alone',
      "return role.inHotStandby ? 'server is in hot standby mode'",
      "return readOnly ? 'server is in hot standby mode'",
      spec,
    ],
  ]),
  ...mutantsOf('src/core/selection/walk-order.ts', [
    ['prefer-standby looks for a standby first', "['standby', 'any']", "['any', 'standby']", spec],
  ]),
  ...mutantsOf('src/core/selection/shuffle.ts', [
    [
      'every order of the hosts is equally likely',
      'random() * (last + 1)',
      'random() * last',
      where.unit('core/selection/shuffle'),
    ],
  ]),
  ...mutantsOf('src/core/selection/balance.ts', [
    ['no weight, no reads while there are others', 'weight }) => weight > 0', 'weight }) => weight >= 0', spec],
    ['two different hosts are drawn', 'share !== first)', 'share !== undefined)', spec],
    [
      'of two the less loaded one is taken',
      'isLessLoaded(second, first) ? second',
      'isLessLoaded(first, second) ? second',
      spec,
    ],
    ['the lighter one of two idle hosts is asked as well', ' && ofA * b.weight < ofB * a.weight', '', spec],
    ['a request counts by the weight of its host', '(ofA + 1) * b.weight < (ofB + 1) * a.weight', 'ofA < ofB', spec],
    ['chance goes by weight', 'point -= weight) < 0', 'point -= 1) < 0', spec],
    ['hosts of one weight are not due at once', '2 * count * taken + 2 * index + 1', '2 * count * taken + 1', spec],
    ['turns count from wherever the count stands', 'if (gone >= turn)', 'if (gone >= 0)', spec],
  ]),
  ...mutantsOf('src/core/selection/lag.ts', [
    ['an answer to an older question changes nothing', 'at <= last.at) return', 'at <= -1) return', spec],
    [
      'a lower position cuts off what only the old leader had',
      'isLower ? cutOff(track.samples, lsn)',
      'isLower ? []',
      spec,
    ],
    ['a lower timeline is another history', 'timeline < track.timeline', 'timeline < 0', spec],
    ['who has replayed all that is known is not behind', 'lsn >= newest.lsn', 'lsn > newest.lsn + 1000n', spec],
    ['the moment lies between samples as the position does', '* (to.at - from.at)', '* 0', spec],
    ['an idle leader leaves nobody behind', 'sample.lsn > lsn)', 'sample.lsn >= lsn)', spec],
    ['the time at which the tail was forked off is known', '{ at: momentOf(samples, lsn), lsn }', 'shared[0]', spec],
    ['samples are thinned', 'if (!isTold) kept', 'if (kept !== undefined) kept', where.unit('core/selection/lag')],
    ['not by more than their age allows', 'coarseness * (now', '3 * (now', where.unit('core/selection/lag')],
    ['an hour is remembered', 'now - longestLagMillis) break', 'now - 1000) break', spec],
  ]),
  ...mutantsOf('src/core/selection/ban.ts', [
    ['many lost connections are one failure', 'if (isBanned(bans, key, at)) return bans', '', spec],
    ['each ban is twice as long as the last', '2 * last.millis', 'last.millis', spec],
    ['no ban is longer than half a minute', 'Math.min(2 * last.millis, longestBanMillis)', '2 * last.millis', spec],
    ['only a question from after the failure ends a ban', 'sentAt <= last.since || ', '', spec],
    ['a good answer ends a ban', 'until: sentAt', 'until: last.until', spec],
    ['who leaves is not remembered', 'filter(([other]) => other !== key)', 'filter(() => true)', spec],
    ['failures are forgotten', 'at - until >= longestBanMillis', 'at < until', spec],
  ]),
  ...mutantsOf('src/core/selection/latency.ts', [
    ['the first answer includes connecting', 'known === undefined ? undefined : smoothed', 'smoothed', spec],
    ['round trips are smoothed', 'const weightOfNewest = 0.2', 'const weightOfNewest = 1', spec],
    ['the window begins at the fastest', 'millis > fastest + windowMillis', 'millis > windowMillis', spec],
  ]),
  ...mutantsOf('src/core/selection/readers.ts', [
    ['only standbys serve reads', "type === 'standby' ? undefined", "type !== 'unknown' ? undefined", spec],
    ['who went on along an old timeline has another history', 'return lsn > fork ?', 'return lsn < 0n ?', spec],
    ['who merely has not noticed has not', 'return lsn > fork ?', 'return lsn > 0n ?', spec],
    ['nor is the leader of today where the histories parted', 'isTracked ? track.beginning?.lsn : ', '', spec],
    ['a newer timeline is not followed before it is believed', 'timeline > leader.timeline', 'timeline < 0', spec],
    ['while nobody leads nobody falls further behind', 'Math.min(at, lostAt ?? Infinity)', 'at', spec],
    [
      'nor while the leader is in doubt',
      'state.leaderlessSince : doubtedAt(state)',
      'state.leaderlessSince : undefined',
      spec,
    ],
    [
      'what is not known is not within a limit',
      'if (lag === undefined) {',
      'if (lag === undefined) return undefined\n    if (lag === undefined) {',
      spec,
    ],
    ['lag has a limit in time', 'lag.millis > maxLagMillis', 'lag.millis < 0', spec],
    ['lag has a limit in bytes', 'lag.bytes > maxLagBytes', 'lag.bytes < 0', spec],
    ['who is banned is left alone', 'return millis > 0 ?', 'return millis < 0 ?', spec],
    [
      'in doubt: only where there is nobody else',
      'suspectedAt !== undefined && othersAre',
      'suspectedAt !== undefined',
      spec,
    ],
    ['in doubt: not while there are others', 'suspectedAt !== undefined && othersAre', 'false', spec],
    ['preferred tags win', 'preferred === undefined || hasTags(tagsOf.get(key), preferred)', 'true', spec],
    [
      'the window is that of those who are left',
      'left = sift(left, isSlow(left, rules))',
      'left = sift(left, isSlow(state.hosts, rules))',
      spec,
    ],
    ['it is told when a ban ends', 'until > now ? until : Infinity', 'Infinity', spec],
  ]),
  ...mutantsOf('src/core/selection/tags.ts', [
    ['all tags of a group', 'Object.entries(wanted).every', 'Object.entries(wanted).some', spec],
  ]),
]
