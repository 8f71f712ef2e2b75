import { mutantsOf, where } from './mutant'
import type { Mutant } from './mutant'

const tables = 'test/spec/outcome/tables.test.ts'
const age = where.unit('core/outcome/marker-age')
const proof = where.unit('execution/marker-proof')
const acknowledged = where.unit('execution/acknowledged-markers')
const pruning = where.unit('execution/pruning')
const witnessed = where.unit('execution/witnessed-query')

/**
 * Transactions that are looked up by a row of theirs. That a row which was put in the way of a COMMIT stops it, and what a
 * savepoint leaves of the COMMIT behind it, only real servers show: test/integration/outcome does.
 */
export const markerMutants: readonly Mutant[] = [
  ...mutantsOf('src/core/outcome/marker-table.ts', [
    [
      'a marker lies where no search_path decides',
      "const [, schema = 'public', table]",
      "const [, schema = '', table]",
      tables,
    ],
    [
      'a table that the server would call by another name is refused',
      'isTooLong(schema) || isTooLong(table)',
      'isTooLong(table)',
      tables,
    ],
    ['a longer name would be cut off', '.length > mostBytes\n}', '.length > mostBytes + 1\n}', tables],
    [
      'the index does not have the name of its table',
      'ending.length > mostBytes) stem',
      'ending.length > 999) stem',
      tables,
    ],
    ['half a character is sent as another one', String.raw` || /\p{Surrogate}/u.test(given)`, '', tables],
  ]),
  ...mutantsOf('src/core/outcome/marker-age.ts', [
    ['old rows are deleted once a minute at the most', 'betweenPrunings * (1 + chance) - sinceLast', '0', age],
    ['processes that start together do not delete together', 'chance * firstPruning.spread', '0', age],
    ['nothing is deleted for ever', ' && forMillis < longestPruning', '', age],
    ['what is missing for its age says nothing', 'ageMillis > maxAgeMillis / 2', 'ageMillis > maxAgeMillis', age],
    ['rows last for as long as somebody may look them up', 'return 2 * lookUpMillis', 'return lookUpMillis', age],
  ]),
  ...mutantsOf('src/execution/marker.ts', [
    [
      'a marker has an id of its own',
      'const id = uniqueId()',
      "const id = '00000000-0000-0000-0000-000000000000'",
      proof,
    ],
    ['a machine may have been suspended', ', wallClock() - made.wall)', ')', proof],
    ['a clock may have been set', 'Math.max(now() - made.at, ', 'Math.max(', proof],
    ['a READ ONLY transaction is committed without a marker', "code === '25006' || ", '', proof],
    ['who may not write markers commits without', " || code?.startsWith('42') === true", '', proof],
    [
      'a COMMIT that was looked up is not done without its marker',
      "code === '25006' ||",
      "code === '25006' || code === '23505' ||",
      proof,
    ],
    ['a COMMIT of nothing writes nothing', 'wrote: (row) => row !== undefined,', 'wrote: () => true,', proof],
    [
      'a COMMIT without a marker may have written',
      "wrote: (row) => row?.['xid'] != null,",
      'wrote: () => false,',
      proof,
    ],
    [
      'a COMMIT without a marker cannot be looked up',
      '  read: () => undefined,\n  wrote',
      "  read: () => ({ id: '', made: { at: 0, wall: 0 }, owner: undefined }),\n  wrote",
      proof,
    ],
  ]),
  ...mutantsOf('src/execution/marker-proof.ts', [
    [
      'a server that history has left says nothing of a marker',
      "return row !== undefined && Number(row['timeline']) >= timeline",
      'return row !== undefined',
      proof,
    ],
    [
      'where timelines can be read, a standby is told by having none',
      "return row !== undefined && Number(row['timeline']) >= timeline",
      "return Number(row?.['timeline'] ?? timeline) >= timeline",
      proof,
    ],
    [
      'a standby has no markers, and is used as ever',
      'if (serverCode(error) !== sqlstate.readOnlySqlTransaction) throw',
      'throw',
      proof,
    ],
    [
      'a table that is not there is told of',
      "if (serverCode(error)?.startsWith('42') !== true) return error as Error",
      'if (error) return error as Error',
      proof,
    ],
    [
      'what carried nothing cannot be looked up',
      'if (carried === undefined) return Promise.resolve(carriedNothing)',
      '',
      proof,
    ],
    [
      'an absence that says nothing is not taken for an abort',
      'const isOld = mayBePruned(ageOf(marker), maxAgeMillis)',
      'const isOld = maxAgeMillis < 0',
      proof,
    ],
    [
      'a transaction that is at work is waited for',
      'if (serverCode(error) !== sqlstate.lockNotAvailable) throw error',
      'throw error',
      proof,
    ],
    [
      'what else is in the way is no sign of a transaction',
      'if (serverCode(error) !== sqlstate.lockNotAvailable) throw error',
      '',
      proof,
    ],
    [
      'a connection on which the server gave up waiting is of use again',
      "throw error\n      await client.query('rollback')",
      'throw error',
      proof,
    ],
    [
      'a row that we wrote ourselves is none of the transaction',
      "    case 'false':\n      return { outcome: 'aborted'",
      "    case 'false':\n      return { outcome: 'committed'",
      proof,
    ],
    ["a standby's word counts for nothing", "if (row?.['in_recovery'] === 'true') return undefined", '', proof],
    [
      'what ran in another history is unknown',
      'generation < port.historySince ? anotherHistory : verdict',
      'verdict',
      proof,
    ],
    [
      'a session of ours that stays is ended',
      'endOwnSession: () => endOwnSession(port, carried)',
      'endOwnSession: async () => undefined',
      proof,
    ],
  ]),
  ...mutantsOf('src/execution/acknowledged-markers.ts', [
    [
      'what is missing for its age is not lost',
      '.filter(({ marker }) => mayBePruned(ageOf(marker), maxAgeMillis))',
      '.filter(() => false)',
      acknowledged,
    ],
    [
      'what a standby lacks is not lost',
      "if (rows[0]?.['in_recovery'] !== 'false') throw",
      'if (rows[0] === undefined) throw',
      acknowledged,
    ],
    ['old rows are thought of whenever one is written', '    this.#written()\n', '', acknowledged],
  ]),
  ...mutantsOf('src/execution/recent.ts', [
    ['what is lost is counted once', '    this.forget(entries)\n', '', acknowledged],
    ['the last ones are remembered', 'return this.#entries.slice(-most)', 'return this.#entries', acknowledged],
  ]),
  ...mutantsOf('src/execution/pruning.ts', [
    ['one time is planned, and no more', 'this.#next !== undefined || ', '', pruning],
    ['nothing is deleted after the end', ' || this.#ended', '', pruning],
    ['no timer is left after the end', '    this.#next?.cancel()\n', '', pruning],
    ['rows may stay for ever', ' || this.#table.maxAgeMillis === Infinity', '', pruning],
    [
      'a batch is followed by the next',
      'if (!prunesOn(rowCount ?? 0, now() - begun)) return sum',
      'return sum',
      pruning,
    ],
    [
      'who deletes rows does so for nobody',
      'this.#context.runInAsyncScope(() => after(delay, () => void this.#prune()))',
      'after(delay, () => void this.#prune())',
      pruning,
    ],
    ['a time that failed is not the last one', '    this.#next = undefined\n', '', pruning],
  ]),
  ...mutantsOf('src/execution/witnessed-query.ts', [
    ['all questions are answered before the statement is', 'if (this.#awaited > 0) return\n', '', witnessed],
    ['a question without a row is answered all the same', 'this.answered = true', '', witnessed],
  ]),
]
