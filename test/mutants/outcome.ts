import { mutantsOf, where } from './mutant'
import type { Mutant } from './mutant'

const { outcomeSpec: spec } = where
const judge = 'src/core/outcome/judge.ts'
const evidence = 'src/core/outcome/evidence.ts'

/**
 * What became of a COMMIT whose answer was lost. That PostgreSQL is as these rules take it to be (what it tells of a
 * recovery, that a postmaster takes connections in turn) only real servers show: test/integration/outcome does.
 */
export const outcomeMutants: readonly Mutant[] = [
  ...mutantsOf('src/core/outcome/incarnation.ts', [
    [
      'a restart makes another incarnation',
      'a.postmasterStartTime === b.postmasterStartTime && a.replayLsn',
      'a.replayLsn',
      spec,
    ],
    [
      'a crash of backends alone makes another incarnation',
      ' && a.replayLsn === b.replayLsn && a.timeline',
      ' && a.timeline',
      spec,
    ],
    [
      'a promotion makes another incarnation',
      'a.replayLsn === b.replayLsn && a.timeline === b.timeline',
      'a.replayLsn === b.replayLsn',
      spec,
    ],
  ]),
  ...mutantsOf(judge, [
    ['a server that history has left says nothing of what came after it', 'is.timeline < was.timeline', 'false', spec],
    ['another cluster says nothing of ours', 'is.systemIdentifier !== was.systemIdentifier', 'false', spec],
    [
      'what the server has forgotten is unknown',
      "if (status === undefined) return unknown('the server has",
      "if (status === 'never') return unknown('the server has",
      spec,
    ],
    ['what was rolled back is aborted', "if (status === 'aborted') return", "if (status === 'never') return", spec],
    [
      'an id that was not given out yet was not written',
      "if (status === 'in the future') {",
      "if (status === 'never') {",
      spec,
    ],
    ['the same incarnation tells the truth', 'if (isSameIncarnation(was, is)) {', 'if (status === undefined) {', spec],
    ['what is in progress is not committed yet', "if (status === 'committed') return", 'return', spec],
    ['what was written after the point of the recovery is gone', 'is.replayLsn < witness.lsn', 'false', spec],
    [
      'what ends at the point of the recovery is there',
      'is.replayLsn < witness.lsn',
      'is.replayLsn <= witness.lsn',
      spec,
    ],
    [
      'whoever uses the id after such a recovery is not waited for',
      'is.replayLsn < witness.lsn',
      "is.replayLsn < witness.lsn && status !== 'in progress'",
      spec,
    ],
    [
      'an id that is in use behind it decides nothing yet',
      "if (status === 'in progress') return",
      "if (status === 'never') return",
      spec,
    ],
  ]),
  ...mutantsOf(judge, [
    ['behind a proxy a clean restart proves nothing', '    direct &&\n    at', '    at', spec],
    ['a clean restart is one of the same host', '    at === host &&\n', '', spec],
    ['a clean restart keeps the timeline', '    is.timeline === was.timeline &&\n', '', spec],
    ['after a clean restart there is no point of recovery', '    is.replayLsn === undefined &&\n', '', spec],
    ['statistics that cannot be read prove nothing', '    was.statsReset !== undefined &&\n', '', spec],
    ['a crash recovery renews the statistics', '    is.statsReset === was.statsReset\n', '    true\n', spec],
  ]),
  ...mutantsOf(judge, [
    [
      'a start that cannot be read makes no standby the leader',
      'is.postmasterStartTime === undefined || is.timeline',
      'is.timeline',
      spec,
    ],
    ['a standby that had it was promoted from that very timeline', 'is.timeline !== was.timeline + 1', 'false', spec],
    [
      'a standby of a timeline with two primaries proves nothing',
      'if (isContested(evidence, was.systemIdentifier, was.timeline)) return undefined',
      '',
      spec,
    ],
    ['a standby of another timeline did not have it', '      report.timeline === was.timeline &&\n', '', spec],
    ['a standby had it once it had replayed the witness', '      report.lsn >= witness.lsn &&\n', '', spec],
    [
      'a standby that replayed the witness to its end had it',
      'report.lsn >= witness.lsn',
      'report.lsn > witness.lsn',
      spec,
    ],
    [
      'a standby that was restarted may have other data',
      '      report.postmasterStartTime === is.postmasterStartTime &&\n',
      '',
      spec,
    ],
    ['a standby is asked after the witness was written', '      report.sentAt >= doubt.witnessedAt &&\n', '', spec],
    [
      'a standby may have followed what came in the place of our server',
      'wasOnly(doubt, report.receivedAt, evidence),',
      'true,',
      spec,
    ],
    ['while our server was alive nothing was in its place', 'at <= aliveAt || ', '', spec],
    [
      'where nobody was listening nothing was in its place',
      ' || (sawTheEnd(doubt) && wasDeserted(evidence, host, doubt.lostAt, at))',
      '',
      spec,
    ],
    [
      'only whoever saw the end knows from when on nobody was listening',
      'sawTheEnd(doubt) && wasDeserted',
      'wasDeserted',
      spec,
    ],
    [
      'behind a proxy nobody sees the end',
      'return direct && closedByPeer && !stalled',
      'return closedByPeer && !stalled',
      spec,
    ],
    [
      'a connection that we cut did not end with its server',
      'return direct && closedByPeer && !stalled',
      'return direct && !stalled',
      spec,
    ],
    [
      'who was blocked did not see the end',
      'return direct && closedByPeer && !stalled',
      'return direct && closedByPeer',
      spec,
    ],
  ]),
  ...mutantsOf(judge, [
    [
      'two servers on its timeline have two histories',
      '  if (isContested(evidence, was.systemIdentifier, was.timeline))\n    return {',
      '  if (doubt.host === undefined)\n    return {',
      spec,
    ],
    ['behind a proxy a recovery proves nothing', 'if (!doubt.direct)', 'if (doubt.host === undefined)', spec],
    [
      'a server whose connection we cut may have gone on',
      'if (!doubt.closedByPeer)',
      'if (doubt.host === undefined)',
      spec,
    ],
    [
      'who was blocked missed what came before the recovery',
      'if (doubt.stalled)',
      'if (doubt.host === undefined)',
      spec,
    ],
    ['a recovery from before the loss is not its consequence', ' || arrival.at < doubt.lostAt)', ')', spec],
    [
      'the recovery that was seen is that of the leader',
      'is.replayLsn !== undefined && isSameIncarnation(seen, is)',
      'is.replayLsn !== undefined',
      spec,
    ],
    ['a restart is one of the same host', 'lookUp.host === doubt.host && arrival.timeline', 'arrival.timeline', spec],
    [
      'a restart keeps the timeline',
      'lookUp.host === doubt.host && arrival.timeline === was.timeline',
      'lookUp.host === doubt.host',
      spec,
    ],
    [
      'the leader was promoted from that very timeline',
      '!isRestart && arrival.parentTimeline !== was.timeline',
      'false',
      spec,
    ],
    [
      'nothing came up in between',
      '!wasDeserted(evidence, doubt.host, doubt.lostAt, isRestart ? arrival.askedAt : arrival.at)',
      'false',
      spec,
    ],
    [
      'a server that is let in late was there when it was asked',
      'isRestart ? arrival.askedAt : arrival.at',
      'arrival.at',
      spec,
    ],
    [
      'another host that answers late says nothing of the old one',
      'isRestart ? arrival.askedAt : arrival.at',
      'arrival.askedAt',
      spec,
    ],
  ]),
  ...mutantsOf(evidence, [
    ['refusals far apart are two spells', ' && sentAt - spell.until <= longestGapMillis', '', spec],
    ['refusals with an answer in between are two spells', ' && known.refuses && sentAt', ' && sentAt', spec],
    [
      'who lets us in and is gone was a server between two others',
      'const visits = known.deserted ? [',
      'const visits = known.last ? [',
      spec,
    ],
    [
      'a server that is stopping is no other one',
      'const visits = known.deserted ? [',
      'const visits = known.refuses ? [',
      spec,
    ],
    ['who stops was there before', "known.deserted || by === 'nobody'", 'true', spec],
    [
      'an answer ends the time in which nobody was listening',
      'refuses: false, deserted: false }',
      'refuses: false }',
      spec,
    ],
    [
      'a standby that is promoted over one session is the same one',
      'before?.recovery.session === recovery.session && before.answer.inRecovery',
      'before?.answer.inRecovery',
      spec,
    ],
    [
      'another server over the same session is not the standby',
      'const isPromoted = isIt && ',
      'const isPromoted = ',
      spec,
    ],
    [
      'what was primary before was not promoted',
      'before?.recovery.session === recovery.session && before.answer.inRecovery',
      'before?.recovery.session === recovery.session',
      spec,
    ],
    [
      'what a standby says of its timeline counts for the very next one',
      'told !== undefined && primary.timeline === told + 1',
      'told !== undefined',
      spec,
    ],
    ['a recovery or a restart makes another primary', ' && isSameIncarnation(latest, life)', '', spec],
    [
      'a standby without a WAL receiver goes by its control file',
      'const timeline = answer.timeline ?? recovery.timeline',
      'const timeline = answer.timeline',
      spec,
    ],
    [
      'of reports that say the same the first proves most',
      'isSame ? reports : [...reports,',
      'isSame ? [...reports.slice(0, -1), { sentAt, receivedAt, timeline, lsn, postmasterStartTime }] : [...reports,',
      spec,
    ],
    ['two servers on one timeline contest it', '?.length ?? 0) > 1', '?.length ?? 0) > 9', spec],
    ['a server that was restarted contests nothing', 'hosts.has(host) || starts.has(start)', 'starts.has(start)', spec],
    ['a server under two names contests nothing', 'hosts.has(host) || starts.has(start)', 'hosts.has(host)', spec],
    ['a timeline is one of a cluster', 'return `${systemIdentifier}/${timeline}`', 'return `${timeline}`', spec],
    ['whoever was primary in between was there', 'arrivals.some(({ at }) => at >= from && at < to) || ', '', spec],
    ['whoever let us in in between was there', ' || visits.some((at) => at >= from && at < to)', '', spec],
    ['in so short a time nothing can come and go', 'if (to - from <= longestGapMillis) return true', '', spec],
    ['the first refusal comes soon after the loss', 'since - from <= longestGapMillis && ', '', spec],
    ['the last refusal comes soon before the end', ' && to - until <= longestGapMillis', '', spec],
    [
      'it is our server that was alive, and not one that came after',
      '.filter((arrival) => isSameIncarnation(arrival, incarnation))',
      '',
      spec,
    ],
    ['a server is alive until its last answer', '{ ...latest, aliveAt: report.sentAt }', 'latest', spec],
  ]),
]
