import { mutantsOf, where } from './mutant'
import type { Mutant } from './mutant'

const { topologySpec: spec, topology: simulation } = where

/** Whom to follow. */
export const topologyMutants: readonly Mutant[] = [
  ...mutantsOf('src/core/topology/host.ts', [
    [
      'a host with default_transaction_read_only is no candidate',
      '!answer.inRecovery && !answer.defaultTransactionReadOnly',
      '!answer.inRecovery',
      spec,
    ],
    ['one server under two names is one server', 'a.postmasterStartTime === b.postmasterStartTime', 'false', spec],
  ]),
  ...mutantsOf('src/core/topology/candidates.ts', [
    [
      'a host in recovery is a standby',
      "if (answer.inRecovery) return { type: 'standby', reason: 'is a standby (in recovery)' }",
      '',
      spec,
    ],
    [
      'a primary below the highest timeline is never used',
      'answer.timeline < highestTimeline',
      'answer.timeline < 0',
      simulation,
      'a leader is never below the highest timeline that led',
    ],
    [
      'a host of another cluster is never used',
      'answer.systemIdentifier !== identity',
      "answer.systemIdentifier === 'nobody'",
      simulation,
      'a leader is never of another cluster',
    ],
    ['the highest timeline wins', 'answer.timeline === undefined || answer.timeline === top', 'true', spec],
    [
      'before the first leader most answers say which identity is ours',
      'count > (votes.get(winner) ?? 0)',
      'false',
      spec,
    ],
    [
      'who has led once may lead again',
      "type === 'foreign' || isOverruled(state, host)",
      "type === 'foreign' || (state.leader === undefined && state.lastLeader?.key === host.key)",
      simulation,
      'in a calm the one true primary comes to lead and stays',
    ],
  ]),
  ...mutantsOf('src/core/topology/reduce.ts', [
    [
      'an observation older than what is known changes nothing',
      'known === undefined || event.at < known.at || event.at < (known.suspectedAt ?? -Infinity)',
      'known === undefined',
      simulation,
      'a leader is a host whose newest answer accepts writes',
    ],
    ['an answer from before a doubt does not clear it', ' || event.at < (known.suspectedAt ?? -Infinity)', '', spec],
    [
      'a server whose places are all taken is not dead',
      'if (host.answer === undefined) return failed(host, at, failure)',
      'return failed(host, at, failure)',
      spec,
    ],
    [
      'a lost connection puts a host in doubt',
      'at <= known.at || known.suspectedAt !== undefined)',
      'at <= known.at || known.suspectedAt === undefined)',
      spec,
    ],
    [
      'looks in a row are looks at one timeline',
      'acceptsWrites(host.answer) && host.answer.timeline === answer.timeline',
      'acceptsWrites(host.answer)',
      spec,
    ],
  ]),
  ...mutantsOf('src/core/topology/targets.ts', [
    [
      'nothing in doubt is a target',
      'host.answer === undefined || host.suspectedAt !== undefined',
      'host.answer === undefined',
      simulation,
      'nothing in doubt is a target, and writes go to the leader alone',
    ],
    [
      'writes go to the leader alone',
      'state.leader?.key === host.key && !leaderSuspected(state)',
      'true',
      simulation,
      'nothing in doubt is a target, and writes go to the leader alone',
    ],
    [
      'a primary that is not confirmed is not written to',
      'state.leader?.key === host.key && !leaderSuspected(state)',
      'true',
      where.pool,
      'a write goes only to a host believed to be the leader at that instant',
    ],
    [
      'prefer-standby takes the primary where there is no standby',
      'standbys.length > 0 ? standbys : usable',
      'standbys',
      where.unit('core/topology/targets'),
    ],
  ]),
  ...mutantsOf('src/core/topology/host-list.ts', [
    [
      'hosts that stay on the list keep what is known of them',
      'known.get(key) ?? unknownHost(key)',
      'unknownHost(key)',
      spec,
    ],
    ['a list takes no leader away', '[...keys, delisted]', 'keys', spec],
    [
      'a leader that has left the list and is lost does not come back by itself',
      'if (delisted === undefined || leader?.key === delisted) return state',
      'return state',
      spec,
    ],
    ['a host that leaves may be ahead', '...(mayBeAhead && { unseenTimeline: state.highestTimeline })', '', spec],
    ['a host that leaves far behind is not', 'mayHaveNewest(state, host))', 'host !== undefined)', spec],
  ]),
  ...mutantsOf('src/core/topology/effects.ts', [
    ['who leaves is told', "...left.map(({ key }) => ({ type: 'left', host: key }) as const),", '', spec],
    [
      'a leader in doubt is announced as lost',
      'before.leader !== undefined && !usable && usedBefore',
      'before.leader !== undefined && after.leader === undefined && usedBefore',
      simulation,
      'a leader is announced when it can be used, and its loss when it cannot',
    ],
    [
      'the first announcement of a generation says that it is new',
      'leader: after.leader, from, changed })',
      'leader: after.leader, from, changed: false })',
      simulation,
      'the first announcement of a generation says that it is new',
    ],
    [
      'what is left of the old leader is cut',
      "effects.push({ type: 'cut', host: from.key, generation: before.generation })",
      'void from.key',
      simulation,
      'what is left of the last leader is cut when there is another or history has left it, and nobody else is',
    ],
    [
      'a loss has a time',
      'after.leaderlessSince ?? doubtedAt(after) ?? -Infinity',
      '-1',
      simulation,
      'a loss has a time',
    ],
    [
      'those who wait are told when there is somewhere to go',
      'if (differsVisibly(before, after))',
      'if (before.leader !== after.leader)',
      simulation,
      'those who wait are told when there is somewhere to go',
    ],
    [
      'a host that leads no more by its own word loses its clients',
      "effects.push({ type: 'retire', host })",
      'void host',
      spec,
    ],
    [
      'history that has gone on without the leader cuts it at once',
      'if (isStale || isDisowned) effects.push',
      'if (isDisowned) effects.push',
      spec,
    ],
    [
      'whom the authority does not confirm any more is cut',
      'if (isStale || isDisowned) effects.push',
      'if (isStale) effects.push',
      spec,
    ],
    [
      'the authority is asked at once when the leader is lost',
      '((usedBefore && !usable) || someoneClaims(before, after))',
      'someoneClaims(before, after)',
      spec,
    ],
    [
      'the authority is asked at once when somebody claims the lead',
      '((usedBefore && !usable) || someoneClaims(before, after))',
      '(usedBefore && !usable)',
      spec,
    ],
    ['the first sign of a newer timeline is asked about at once', ' || (isAhead && host.sightings === 1)', '', spec],
    [
      'that a rival is followed in the end is told as another history',
      ' ||\n    before.rivals.some((key) => key === after.leader?.key)',
      '',
      spec,
    ],
    ['a rival of the leader is asked again at once', 'host.confirmations === 1 ||', '', spec],
    [
      'a split brain is said loudly',
      'after.splitBrain.length > 0 && !sameHosts',
      'after.splitBrain.length > 9 && !sameHosts',
      spec,
    ],
  ]),
  ...mutantsOf('src/core/topology/explain.ts', [
    [
      'a refusal of the caller counts only while nobody answers well',
      'if (!spoke || state.hosts.some((host) => host.answer !== undefined)) return undefined',
      'if (!spoke) return undefined',
      spec,
    ],
  ]),
]
