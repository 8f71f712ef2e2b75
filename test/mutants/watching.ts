import { mutantsOf, where } from './mutant'
import type { Mutant } from './mutant'

const { pool, quiet, unit } = where
const heartbeat = unit('runtime/heartbeat')
const guard = unit('runtime/guard-bytes')
const walk = unit('core/wire/walk')
const shape = 'test/spec/wire/shape.test.ts'
const decision = unit('topology/decision-timer')
const living = unit('topology/living-topology')
const authority = unit('discovery/authority-probe')

/** When hosts and an authority are asked, and what a process makes of it that was blocked, or is told nonsense. */
export const watchingMutants: readonly Mutant[] = [
  ...mutantsOf('src/runtime/timer.ts', [
    [
      'a late timer discards its own verdict',
      'now() - due > lateMillis ? arm() : expired()',
      'expired()',
      quiet,
      'a process that was blocked blames no host',
    ],
  ]),
  ...mutantsOf('src/runtime/heartbeat.ts', [
    [
      'a pause is remembered after the beat that follows it',
      'if (at - lastBeat > stallMillis) lastStall = at',
      '',
      heartbeat,
    ],
    ['a pause that lasts is seen before the next beat', ' || now() - lastBeat > stallMillis', '', heartbeat],
    ['a pause from before concerns nobody who came later', 'lastStall > since', 'lastStall > 0', heartbeat],
    ['the time in which nobody watched is no pause', 'if (watchers === 0) lastBeat = since', '', heartbeat],
    ['when nobody watches any more there is no timer', 'beating = watchers > 0', 'beating = true', heartbeat],
    ['a late timer of some milliseconds is no pause', 'const stallMillis = 100', 'const stallMillis = 30', heartbeat],
  ]),
  ...mutantsOf('src/core/wire/walk.ts', [
    ['what is looked at is looked at when all of it is there', 'if (end > chunk.length) break', '', walk],
    ['a message that comes in pieces is looked at as well', 'if (reason !== undefined) return reason\n', '', walk],
    ['rows are stepped over', 'unfinished.left = Math.max(0, at - chunk.length)', 'unfinished.left = 0', walk],
  ]),
  ...mutantsOf('src/core/wire/shape.ts', [
    [
      'an error ends with a zero',
      'endOfFields(bytes, start, end) > end',
      'endOfFields(bytes, start, end) > end + 1',
      shape,
    ],
    ['a parameter has two texts', 'return texts(bytes, start, end, 2)', 'return texts(bytes, start, end, 1)', shape],
  ]),
  ...mutantsOf('src/runtime/guard-bytes.ts', [
    [
      'a session that is ready is guarded as well',
      'if (rules.lifted) return follow(chunk)',
      'if (rules.lifted) return pass(chunk)',
      guard,
    ],
    [
      'a server may not send without end before a session is ready',
      'if (rules.left < 0) return refuse',
      'if (rules.left < -1e9) return refuse',
      guard,
    ],
    [
      'a message may not announce more than may come',
      'length > pending.length + rules.left',
      'length > 2 ** 32',
      guard,
    ],
    ['a message is at least as long as its header', 'length < headerBytes - 1', 'length < 0', guard],
    [
      'what pg cannot read ends the connection and not the process',
      'if (trusted ? !isOfParser(error) : rules.lifted) throw error',
      'throw error',
      guard,
    ],
  ]),
  ...mutantsOf('src/topology/decision-timer.ts', [
    [
      'who was blocked hears first what was told meanwhile',
      'at - due > lateMillis && due !== this.#grantedUntil',
      'false',
      decision,
    ],
    ['a moment that was granted is not granted again', ' && due !== this.#grantedUntil', '', decision],
    [
      'what is due is decided before its timer comes round',
      'this.#due !== undefined && now() >= this.#due',
      'false',
      decision,
    ],
    [
      'nothing is decided before it is due',
      'this.#due !== undefined && now() >= this.#due',
      'this.#due !== undefined',
      decision,
    ],
  ]),
  ...mutantsOf('src/topology/consult.ts', [
    [
      'an authority is asked again long before its lease is over',
      '(word.until - word.at) / 3',
      'word.until - word.at',
      living,
    ],
    [
      'an authority is asked at leisure while nobody waits',
      'Math.max(wantedMillis, topology.patience())',
      'wantedMillis',
      living,
    ],
  ]),
  ...mutantsOf('src/discovery/source-probe.ts', [
    [
      'an authority has to answer in time',
      'expire({ ok: false, reason: `did',
      'void ({ ok: false, reason: `did',
      authority,
    ],
    [
      'what an authority throws is a failure',
      'return { ok: false, reason: error instanceof Error',
      'throw { ok: false, reason: error instanceof Error',
      authority,
    ],
  ]),
  ...mutantsOf('src/discovery/authority-probe.ts', [
    ['a lease without an end is none', 'Number.isFinite(leaseMillis) && ', '', authority],
  ]),
  ...mutantsOf('src/discovery/discovery-probe.ts', [
    ['an empty list is none', 'hosts.length > 0 ?', 'hosts.length >= 0 ?', where.unit('discovery/discovery-probe')],
  ]),
  ...mutantsOf('src/topology/discovering.ts', [
    [
      'until a source has answered the hosts given stand in for what it would say',
      'this.#said = sources.map(() => owner.seeds)',
      'this.#said = sources.map(() => [])',
      where.unit('topology/discovering'),
    ],
    [
      'entries that cannot be used change nothing',
      "if (typeof hosts === 'string') return",
      "if (typeof hosts === 'string') return this.#owner.listed([])",
      where.unit('topology/discovering'),
    ],
    [
      'who is on the list keeps its place',
      'return [...stays, ...comes]',
      'return [...said.values()]',
      where.unit('topology/discovering'),
    ],
    [
      'a source that has failed is asked again',
      'this.#failures[place] !== undefined || ',
      '',
      where.unit('topology/discovering'),
    ],
  ]),
  ...mutantsOf('src/topology/living-topology.ts', [
    ['nothing is asked of a host that has left', 'this.#leave(effect.host)', '', living],
    [
      'the last leader is watched until there is another one',
      'if (leader === undefined && lastLeader?.key === host) return',
      '',
      living,
    ],
    [
      'what was not seen, as the host was not on the list, proves nothing',
      "this.#evidence = addReport(this.#evidence, host, { type: 'failed', receivedAt: now() })",
      '',
      living,
    ],
    [
      'nobody is sent to a leader whose lease ran out while this process was blocked',
      'if (this.#authority !== undefined) this.#decision.catchUp()',
      '',
      living,
    ],
    [
      'what was seen of another history proves nothing of ours',
      'this.#evidence = noEvidence\n        log',
      'log',
      living,
    ],
    [
      'an answer is as old as its question',
      "type: 'observed', host, at: sentAt",
      "type: 'observed', host, at: now()",
      living,
    ],
    [
      'who refuses our credentials is not asked in haste',
      'const pointless = !last.ok && last.failure.aboutCaller',
      'const pointless = false',
      living,
    ],
    [
      'hosts are asked at the quick rhythm while somebody waits',
      '(urgent || this.#somebodyWaits || this.#uneasy) && !pointless',
      '(urgent || this.#uneasy) && !pointless',
      living,
    ],
    ['a host that said 53300 is not taken for dead', "type: isFull ? 'full' : 'failed'", "type: 'failed'", living],
    [
      'end() stops the monitors',
      'for (const monitor of this.#monitors.values()) monitor.stop()',
      '',
      pool,
      'after end() nothing is left',
    ],
  ]),
]
