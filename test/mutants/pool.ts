import { mutantsOf, where } from './mutant'
import type { Mutant } from './mutant'

const { pool, unit } = where
const checkout = unit('pool/checkout')
const positions = unit('pool/host-positions')
const heed = unit('pool/heed-signal')

/** Who waits, who is served, and what is left. */
export const poolMutants: readonly Mutant[] = [
  ...mutantsOf('src/runtime/wait-queue.ts', [
    [
      'who comes back stands where the call first stood',
      'last.arrival <= item.arrival',
      'item.arrival >= 0',
      pool,
      'held callers leave in order',
    ],
    [
      'who was settled leaves the line',
      'while (this.#head < this.#line.length && this.#line[this.#head]?.settled === true) this.#head += 1',
      '',
      pool,
      'every call settles exactly once',
    ],
  ]),
  ...mutantsOf('src/pool/expiry.ts', [
    [
      'a process that slept does not fail those who waited meanwhile',
      'if (now() - at > lateMillis)',
      'if (now() < at)',
      unit('pool/expiry'),
    ],
  ]),
  ...mutantsOf('src/pool/checkout.ts', [
    [
      'while others wait nobody is served past them',
      "const first = this.#phase === 'waiting' && this.#line.size === 0",
      "const first = this.#phase === 'waiting'",
      checkout,
    ],
    [
      'no more than max requests at once',
      'Math.min(this.#line.size, this.#port.max, this.#ramp.allowed)',
      'Math.min(this.#line.size, this.#ramp.allowed)',
      checkout,
    ],
    [
      'as many callers are held as maxWaiting allows',
      'this.#line.size >= this.#port.maxWaiting',
      'this.#line.size > this.#port.maxWaiting',
      checkout,
    ],
    ['a statement that was sent already is not refused by maxWaiting', ' && call.past?.resent !== true', '', checkout],
    [
      'a caller whose signal is aborted leaves the line',
      'ticket.onAbort(signal, () => this.#fail(ticket, abortReason(signal)))',
      '',
      checkout,
    ],
    [
      'a failed dial fails no caller',
      "if (blamed !== 'caller') {",
      "if (blamed === 'nobody') {",
      pool,
      'what was never sent fails by a time limit, by its caller or by the end',
    ],
    [
      'end() answers those who wait',
      'this.failAll(() => new Error(afterEnd))',
      '',
      pool,
      'every call settles exactly once',
    ],
    [
      'end() answers those who are in the queue of pg-pool',
      'for (const call of this.#passing.splice(0)) new Ticket(call).fail(new Error(afterEnd))',
      '',
      checkout,
    ],
    [
      'end() leaves no timer',
      '    this.#expiry.forget()\n    this.#cancelRequests()\n  }\n\n  /** Nothing',
      '    this.#expiry.forget()\n  }\n\n  /** Nothing',
      pool,
      'after end() nothing is left',
    ],
    [
      'only work that has not been sent is held, up to its deadline',
      'if (deadline <= at + 1) this.#fail(',
      'if (deadline <= -1) this.#fail(',
      checkout,
    ],
    ['a paused pool serves nobody', 'this.#port.available() && !this.#paused', 'this.#port.available()', checkout],
    [
      'callers are told when there is a host again',
      'if (phase !== this.#phase) this.#enterPhase(phase, at)',
      "if (phase === 'held') this.#enterPhase(phase, at)",
      pool,
      'with a leader up long enough every held call succeeds',
    ],
  ]),
  ...mutantsOf('src/pool/ramp.ts', [
    [
      'after a hold one request is made at first: no stampede',
      'this.#allowed === Infinity ? 1 : this.#allowed + 1',
      'Infinity',
      checkout,
    ],
  ]),
  ...mutantsOf('src/pool/preparation.ts', [
    [
      'sessions in advance are bounded',
      'successors === 0 || this.#prepared >= 2 * this.#port.max',
      'successors === 0',
      checkout,
    ],
  ]),
  ...mutantsOf('src/pool/inspection.ts', [
    [
      'an idle client whose host has been in doubt is not handed out unasked',
      ' && this.#port.trusted(session)',
      '',
      checkout,
    ],
    [
      'a client that was not used for long is asked for a sign of life',
      'at - session.usedAt <= this.#port.aliveCheckMillis && ',
      '',
      checkout,
    ],
    [
      'a client of a host that leads no more is not handed out',
      'isGone(session) || !this.#port.suitable(session)',
      'isGone(session)',
      checkout,
    ],
  ]),
  ...mutantsOf('src/pool/deadlines.ts', [
    [
      'time in a hold does not count against connectionTimeoutMillis where both limits are set',
      'since + connectionTimeoutMillis + heldMillis - waitedMillis',
      'since + connectionTimeoutMillis - waitedMillis',
      unit('pool/deadlines'),
    ],
    [
      'connectionTimeoutMillis alone is one deadline for everything',
      'failoverTimeoutMillis === undefined && connectionTimeoutMillis !== undefined) {',
      'failoverTimeoutMillis === 0 && connectionTimeoutMillis !== undefined) {',
      unit('pool/deadlines'),
    ],
    [
      'all holds of a call count against one limit',
      'longestHold(limits) - heldMillis',
      'longestHold(limits)',
      unit('pool/deadlines'),
    ],
  ]),
  ...mutantsOf('src/pool/clients.ts', [
    [
      'a leader that is deposed loses its connections in mid-statement',
      'if (session.busy && isOld(session)) cutSocket(session.client)',
      '',
      unit('pool/clients'),
    ],
    [
      'what was dialled under the new generation is not cut',
      'session.generation <= generation',
      'session.generation <= generation + 1',
      unit('pool/clients'),
    ],
    [
      'a retired client that is in use goes when it is released',
      'if (session.retired || session.announced) process.nextTick',
      'if (session.announced) process.nextTick',
      unit('pool/clients'),
    ],
    [
      'retirement does not wait for a frozen server',
      "if (!isEnding(client)) client.emit('error', new RetiredError())\n    cutSocket(client)",
      "if (!isEnding(client)) client.emit('error', new RetiredError())",
      unit('pool/clients'),
    ],
  ]),
  ...mutantsOf('src/pool/hearsay.ts', [
    [
      '53300 is not a reason for doubt',
      'error.code !== sqlstate.tooManyConnections && hint',
      'hint',
      unit('pool/hearsay'),
    ],
    ['a notice 57P01 is news', 'if (!announcesShutdown(news.sqlstate)) break', 'break', unit('pool/hearsay')],
    ['a lost connection puts its host in doubt', 'this.suspect(session.host, why)', 'void why', unit('pool/hearsay')],
  ]),
  ...mutantsOf('src/pool/session.ts', [
    [
      'a session that was told 57P01 does not come to rest among the idle',
      '        session.announced = true\n        session.committed',
      '        session.committed',
      unit('pool/hearsay'),
    ],
  ]),
  ...mutantsOf('src/pool/destinations.ts', [
    [
      'a client of an older generation is retired',
      '(!leads || session.generation === state.generation)',
      'session.generation <= state.generation',
      unit('pool/destinations'),
    ],
    [
      'a session dialled under an older generation comes too late',
      'state.leader.key === host && state.generation === generation',
      'state.leader.key === host',
      unit('pool/destinations'),
    ],
    [
      'the role of a new session is judged before it is used',
      'accept: (role) => mismatch(attrs, role)',
      'accept: () => undefined',
      unit('pool/destinations'),
    ],
  ]),
  ...mutantsOf('src/pool/in-advance.ts', [
    [
      'a session made in advance is not taken before its server leads',
      'if (!this.#port.available()) return notYet',
      '',
      unit('pool/in-advance'),
    ],
  ]),
  ...mutantsOf('src/facade/following.ts', [
    [
      'end() gives up the dials that are under way',
      'this.clients.abortDials(this.#inVain())',
      '',
      pool,
      'after end() nothing is left',
    ],
    [
      'after end() nobody is dialled any more',
      'this.#ending ? this.#inVain() : this.#destinations.next()',
      'this.#destinations.next()',
      pool,
      'after end() nothing is left',
    ],
  ]),
  ...mutantsOf('src/pool/host-positions.ts', [
    [
      'of another timeline nobody is waited for',
      'reached?.timeline !== wanted.timeline || ',
      'reached === undefined || ',
      positions,
    ],
  ]),
  ...mutantsOf('src/pool/replay-waits.ts', [
    ['only PostgreSQL 19 and newer is told to wait', 'version >= firstVersion', 'version >= 0', positions],
    [
      'who refuses is not told again',
      'this.#refused.set(host, this.#versions.get(host) ?? 0)',
      'this.#refused.delete(host)',
      positions,
    ],
    ['a session that has ended refuses nothing', '!announcesEnd(code) && ', '', positions],
    ['nor does a conflict with recovery', ' && code !== sqlstate.serializationFailure', '', positions],
    ['no session waits if there is no other', '|| !this.#hasSpare(host)', '', positions],
    ['no session waits for long', 'Math.min(longestWaitMillis, until - now())', 'until - now()', positions],
    ['what lies before is shared', 'open.wanted.lsn <= wanted.lsn', 'open.wanted.lsn >= wanted.lsn', positions],
    ['nobody waits longer than he wants for another', ' && open.until <= until', '', positions],
    ['one waits at a time', 'this.#open.set(host, {', 'void ({', positions],
  ]),
  ...mutantsOf('src/pool/heed-signal.ts', [
    ['what has been sent is waited for', 'if (call.session === undefined) once', 'once', heed],
    ['who is aborted is told', "signal.addEventListener('abort', aborted, { once: true })", '', heed],
    ['and only once', 'if (told) return', '', heed],
    ['nothing listens afterwards', "signal.removeEventListener('abort', aborted)", '', heed],
  ]),
]
