import { mutantsOf, where } from './mutant'
import type { Mutant } from './mutant'

const runQuery = where.unit('execution/run-query')
const verdict = where.unit('execution/verdict')
const witnessed = where.unit('execution/witnessed-query')
const transaction = where.unit('execution/transaction')
const view = where.unit('execution/transaction-client')

/**
 * The attempts of one statement, and of one transaction. What a server makes of `witness · statement · Flush · Sync`, and what is
 * left in the socket of one that dies, only real servers show: test/integration/outcome does.
 */
export const executionMutants: readonly Mutant[] = [
  ...mutantsOf('src/execution/run-query.ts', [
    ['one statement is not sent for ever', 'this.#replays < maxReplays', 'this.#replays < Infinity', runQuery],
    ['nothing is sent again after end()', ' && !this.#port.ending) {', ') {', runQuery],
    [
      "a user's own Submittable is sent once",
      "if (typeof (marks as { submit?: unknown } | undefined)?.submit === 'function') return undefined",
      '',
      runQuery,
    ],
    [
      'a read that cannot be sent again had no effect: its error is the answer',
      'if (!unknown || this.#isReadOnly) return { error }',
      'if (!unknown) return { error }',
      runQuery,
    ],
    [
      'a write of unknown outcome is an OutcomeUnknownError',
      'if (!unknown || this.#isReadOnly) return { error }',
      'return { error }',
      where.pool,
      'a call that succeeded was executed, one that was refused was not',
    ],
    [
      'replays against one and the same server are not in a hurry',
      'if (this.#replays === 1 || !sameServer) return',
      'return',
      runQuery,
    ],
  ]),
  ...mutantsOf('src/execution/verdict.ts', [
    [
      'after a refusal as standbys give it the host is asked again',
      'refused && !(await port.stillSuitable(session))',
      'refused',
      runQuery,
    ],
    [
      '57P01 counts only if the connection really ends',
      'if (announced && !session.broken) await ended(session)',
      '',
      verdict,
    ],
    [
      'query_timeout is told from a lost connection',
      'connectionLost: session.broken && !timedOut',
      'connectionLost: session.broken',
      verdict,
    ],
    ['57P01 is no plain refusal', '!announcesShutdown(code) &&\n', '', verdict],
    ["a standby's refusal is no plain refusal", '    !mayBeStandbyRefusal(code) &&\n', '', verdict],
    ['08P01 from a pooler is no plain refusal', " || (code.startsWith('08') && isFromPooler(error))", '', verdict],
  ]),
  ...mutantsOf('src/execution/witnessed-query.ts', [
    [
      'CommandComplete comes before the COMMIT: there is a Flush',
      "if (this.#sending.flushAfter === 'statement') connection.flush()",
      '',
      witnessed,
    ],
    [
      'a COMMIT is looked at when its witness has been sent',
      "if (flushAfter === 'witness') connection.flush()",
      '',
      witnessed,
    ],
    ['a COMMIT of nothing goes out as it is', 'this.#sending.applies?.() ?? true', 'true', witnessed],
    [
      'only the extended protocol has a Flush',
      'return this.submitted || super.requiresPreparation()',
      'return super.requiresPreparation()',
      witnessed,
    ],
    ['the name is hidden until the witness is over', '        this.name = undefined\n', '', witnessed],
    ['the name is there again when the witness is over', '      this.name = this.#hiddenName\n', '', witnessed],
    [
      "the witness's row is not one of the statement",
      'if (this.#awaited > 0) this.witness = message.fields',
      'if (this.#awaited > 0 && this.witness) this.witness = message.fields',
      witnessed,
    ],
    [
      "the witness's end is not that of the statement",
      'if (this.#awaited > 0) this.#endOfQuestion()\n      else',
      'this.#endOfQuestion()\n      if (true)',
      witnessed,
    ],
    ['a refused witness is not a refused statement', 'this.witnessRefused = true', '', witnessed],
    [
      'what came after a refused witness was not parsed',
      'if (this.name !== undefined) Reflect',
      'if (this.name === undefined) Reflect',
      witnessed,
    ],
    [
      'what an instrumentation swallowed was not submitted',
      '    submitted = false\n',
      '    submitted = true\n',
      witnessed,
    ],
  ]),
  ...mutantsOf('src/execution/transaction-client.ts', [
    ['the client of a transaction is good for nothing after it', 'open = false', '', view],
    [
      'a transaction is ended by nobody but who began it',
      'text !== undefined && controlsTransaction(text)',
      'false',
      view,
    ],
    ['the client of a transaction is not given away', "new Set(['release', 'end', 'connect'])", 'new Set()', view],
  ]),
  ...mutantsOf('src/execution/transaction.ts', [
    ['the view is closed when the function is over', '      view.close()\n', '', transaction],
    [
      'a COMMIT of which nobody knows is not run again',
      "if (found.outcome === 'aborted') return",
      "if (found.outcome !== 'committed') return",
      transaction,
    ],
    [
      'a COMMIT that was found is not run again',
      "if (found.outcome === 'committed') {",
      "if (found.outcome === 'never') {",
      transaction,
    ],
    [
      'what was found to be committed is remembered',
      'this.#port.proof.acknowledged.add(session, known.carried, this.#plan.tag)\n        return',
      'return',
      transaction,
    ],
    [
      'what was acknowledged is remembered',
      'this.#port.proof.acknowledged.add(session, known.carried, this.#plan.tag)\n      this.#release',
      'this.#release',
      transaction,
    ],
    [
      'a COMMIT that went unanswered is looked up',
      "if (decision.action !== 'look-up') return",
      'if (true) return',
      transaction,
    ],
    [
      'what is lost without a witness is unknown',
      'return question.read(results.at(-1)?.rows[0] ?? {})',
      'return undefined',
      transaction,
    ],
    [
      'a pause between witness and loss is told to the judge',
      'const stalled = known.watch.stalled()',
      'const stalled = false',
      transaction,
    ],
    [
      'no COMMIT goes over a connection that is lost',
      'if (session.broken || session.announced) {',
      'if (session.announced) {',
      transaction,
    ],
    [
      'no COMMIT goes out after an abort',
      "if (signal?.aborted === true) return this.#failed(out, 'body', signal.reason)",
      '',
      transaction,
    ],
    [
      'a COMMIT that was answered with ROLLBACK is no success',
      "if (command === 'COMMIT') {",
      'if (command !== undefined) {',
      transaction,
    ],
    [
      'a transaction is not run again for ever',
      'attempt >= plan.maxAttempts',
      'attempt >= plan.maxAttempts + 1',
      transaction,
    ],
    ['a transaction inside another is refused', 'if (port.scope.inside) {', 'if (port.ending) {', transaction],
    ['what failed is rolled back', "await client.query('rollback')\n    return true", 'return true', transaction],
    [
      'a server that lets no witness be written is used without',
      'if (refused !== undefined) throw refused',
      'throw refused ?? error',
      transaction,
    ],
  ]),
  ...mutantsOf('src/execution/witness-proof.ts', [
    ['that there can be no witness is found out once', '    this.witnessless = true\n', '', transaction],
    [
      'a server that history has left says nothing of a COMMIT',
      'return answer && !isLeft ? ',
      'return answer ? ',
      transaction,
    ],
  ]),
  ...mutantsOf('src/execution/witness.ts', [
    [
      'behind a pooler every transaction asks what server it runs on',
      'server?.direct === true ? asked.alone',
      'server !== undefined ? asked.alone',
      where.unit('execution/witness'),
    ],
    [
      'what a server is told to be holds for its own transaction',
      "if ('pid' in row) session.server = ",
      'session.server ??= ',
      where.unit('execution/witness'),
    ],
  ]),
]
