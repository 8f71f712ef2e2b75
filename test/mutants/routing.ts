import { mutantsOf, where } from './mutant'

const spec = where.routingSpec
const unit = where.unit('core/routing/read-route')

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
]
