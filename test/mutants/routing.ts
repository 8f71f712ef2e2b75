import { mutantsOf, where } from './mutant'

const spec = where.routingSpec
const unit = where.unit('core/routing/read-route')
const guesses = where.unit('core/routing/guesses')
const guessedReads = where.unit('facade/guessed-reads')
const corpus = 'test/spec/routing/corpus.test.ts'

export const routingMutants = [
  ...mutantsOf('src/core/routing/read-route.ts', [
    ['each of several statements counts', 'statement = []\n', '', spec],
    ['of several statements the strictest decides', 'stricter(route, calls.next(token))', 'calls.next(token)', spec],
    [
      'a literal that may be read in two ways is read in both',
      'isAmbiguous(text) ? stricter(route, routeOfText(text, true)) : route',
      'route',
      spec,
    ],
    ['what holds a pinned name is read', ' || mayHoldPinned.test(text)', '', spec],
    ['what has a second statement is read', "return end < 0 || text.slice(end + 1).trim() === ''", 'return true', spec],
    ['a DO block has statements in it', "first.text !== 'do'", "first.text === 'do'", spec],
  ]),
  ...mutantsOf('src/core/routing/call-watch.ts', [
    ['a quoted name is a name', " || token.kind === 'quoted' ? token.text", ' ? token.text', spec],
    [
      'a name is called by a parenthesis only',
      "token.kind !== 'symbol' || token.text !== '('",
      "token.text === ''",
      spec,
    ],
    ['Unicode escapes may spell any name', "token.kind === 'unicode'", "token.text === ''", spec],
    [
      'set_config of what is not said in one literal may set anything',
      "token.kind === 'literal' || (token.kind",
      '(token.kind',
      spec,
    ],
  ]),
  ...mutantsOf('src/core/routing/statement-route.ts', [
    ['SET has a scope', "rest[1]?.kind === 'symbol' ? undefined : rest[0]", 'undefined', spec],
    ['names of settings have no case', 'transaction_read_only$/i', 'transaction_read_only$/', spec],
    ['SET … = on leaves a session read-only', '/^(?:on|t', '/^(?:on_|t', spec],
    ['COPY TO STDOUT goes to the client', "isWord(target, 'stdout')", "isWord(target, 'stdin')", spec],
    ['what COPY copies from has its own TO', ' || depth !== 0', '', spec],
    ['behind FOR is the query of a cursor', 'query < 0 ? rest : rest.slice(0, query)', 'rest', spec],
  ]),
  ...mutantsOf('src/core/routing/stricter.ts', [
    [
      'what is of its host counts, beside what is of its session',
      'route.ofSession ? 1 : 2',
      'route.ofSession ? 2 : 1',
      spec,
    ],
    ['what is of its session is known', 'because, ofSession: true', 'because, ofSession: false', spec],
  ]),
  ...mutantsOf('src/core/sql/tokens.ts', [
    ['a literal goes on as it began', 'escapes || continued', 'escapes', spec],
    ['no name is found by its case', 'text: text.toLowerCase() }\n  }', 'text }\n  }', spec],
  ]),
  ...mutantsOf('src/core/sql/lexer.ts', [
    ['a backslash escapes in E literals', "letter === 'e'", "letter === 'f'", spec],
    ['and in no other ones with a prefix', "letter === 'b' || letter === 'x'", "letter === 'b'", spec],
  ]),
  ...mutantsOf('src/core/routing/read-mark.ts', [
    ['a mark is a whole comment', 'read-only[ \\t\\n\\r\\f\\v]*$/', 'read-only[ \\t\\n\\r\\f\\v]*/', spec],
    ['a mark by one of two readings is none', ' && (!isAmbiguous(text) || findMark(text, true))', '', spec],
  ]),
  ...mutantsOf('src/core/routing/route-cache.ts', [
    [
      'a long text is not remembered',
      'text.length > this.#textLength',
      'false',
      where.unit('core/routing/route-cache'),
    ],
    [
      'what is asked for all the time is kept',
      'this.#old = this.#young',
      'this.#old = new Map()',
      where.unit('core/routing/route-cache'),
    ],
  ]),
  ...mutantsOf('src/core/sql/lexer.ts', [
    [
      'a comment hides what is in it',
      "text.startsWith('/*', position) ? endOfComment(text, position) : position",
      'position',
      unit,
    ],
  ]),
  ...mutantsOf('src/core/routing/guesses.ts', [
    ['a text is parsed up to a length', 'text.length > this.#limits.textLength', 'false', guesses],
    ['a text ends where the grammar thinks so', "text.includes('\\0') || ", '', guesses],
    ['what can be read in two ways is no guess', ' || isAmbiguous(text)', '', guesses],
    ['what goes to the leader by rule is no guess', "if (route.to !== 'standby') return route", '', guesses],
    ['anything but yes is no', ' as unknown) === true', ')', guesses],
    [
      'what is like something refused is refused',
      'this.#refused.add(this.#fingerprint(text) ?? text)',
      'this.#refused.add(text)',
      guesses,
    ],
    [
      'what was refused is taken for a read no more',
      'not any more.\n    this.#routes = this.#forgetful()\n',
      'not any more.\n',
      guesses,
    ],
    ['of what was refused the oldest is forgotten', 'this.#refused.delete(oldest)', 'break', guesses],
    ['nothing is guessed beside transactions', 'return !this.#isOver && ', 'return ', guesses],
  ]),
  ...mutantsOf('src/core/routing/parsed/provable-read.ts', [
    ['one statement alone is a read', ' && more.length === 0 && reads', ' && reads', corpus],
    ['a lock is no read', 'List MinMaxExpr', 'List LockingClause MinMaxExpr', corpus],
    ['an operator to sort by counts', 'useOp: isOperator', 'useOp: () => true', corpus],
    ['INTO is no read', 'intoClause: () => false', 'intoClause: () => true', corpus],
    [
      'an unknown function is no read',
      'funcname: (name) => isBuiltIn(functions, name)',
      'funcname: () => true',
      corpus,
    ],
    ['an unknown type is no read', 'names: (name) => isBuiltIn(types, name)', 'names: () => true', corpus],
    ['an unknown operator is no read', 'A_Expr: ({ name }) => isOperator(name)', 'A_Expr: () => true', corpus],
    ['an operator of ANY counts', 'operName: isOperator', 'operName: () => true', corpus],
    ['a name in another schema is not a built-in', "parts[0] === 'pg_catalog'", "parts[0] !== ''", corpus],
    ['an unknown node is no read', 'return nodes.has(name) && ', 'return ', corpus],
    ['what a server shows of itself is no read', 'relations.has(relname) : true', 'true : true', corpus],
    [
      'what a sequence is at is no read',
      'ColumnRef: ({ fields }) => isNoSequence(fields)',
      'ColumnRef: () => true',
      corpus,
    ],
    ['a row of a sequence as well', 'indirection: isNoSequence', 'indirection: () => true', corpus],
  ]),
  ...mutantsOf('src/facade/guessed-reads.ts', [
    ['a mark keeps from guessing', '!isMarked ? text', 'true ? text', guessedReads],
    ['in primary() nothing is guessed', " || scopeNow() === 'primary'", '', guessedReads],
    ['in a transaction nothing is guessed', ' || this.#isInTransaction()', '', guessedReads],
    ['without a standby nothing is guessed', ' && this.#reads.hasStandby', '', guessedReads],
    [
      'what a standby has refused is remembered',
      'if (mayBeStandbyRefusal(code)) {',
      'if (code === "") {',
      guessedReads,
    ],
    ['what was cancelled is not tried again', 'code === sqlstate.queryCanceled || ', '', guessedReads],
    ['what ended its session is not tried on the leader', ' || announcesShutdown(code)', '', guessedReads],
  ]),
]
