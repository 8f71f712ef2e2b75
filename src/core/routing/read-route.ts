import { skipBlank } from '../sql/lexer'
import type { Token } from '../sql/tokens'
import { isAmbiguous, tokensOf } from '../sql/tokens'
import { CallWatch } from './call-watch'
import { mayHoldPinned } from './pinned'
import { looksInto, routeOfStatement } from './statement-route'
import type { ReadRoute } from './stricter'
import { nowhere, standby, stricter } from './stricter'

export type { ReadRoute } from './stricter'

/**
 * Where a text goes that is marked as a read. To a standby goes whatever is a read there too, and whatever a server refuses
 * in a read-only session: the refusal is the answer to a wrong mark. To the leader goes what would succeed on a standby and
 * mean something else (the pinned list), to nobody what makes a read-only session write. Of several statements the strictest
 * decides. The names of functions are looked for wherever a call may stand; what a function, a rule or a procedure does
 * inside is not seen.
 */
export function routeOfRead(text: string): ReadRoute {
  if (isPlain(text)) return standby
  const route = routeOfText(text, false)
  return isAmbiguous(text) ? stricter(route, routeOfText(text, true)) : route
}

/** How a statement begins of which nothing but its names matters. */
const plainBeginning = /(?:select|with|values|table|insert|update|delete|merge)\b/iy

/** Whether a text is one statement that can be seen not to be pinned without reading its tokens: most are. */
function isPlain(text: string): boolean {
  plainBeginning.lastIndex = beginningOf(text)
  if (!plainBeginning.test(text) || mayHoldPinned.test(text)) return false
  const end = text.indexOf(';')
  return end < 0 || text.slice(end + 1).trim() === ''
}

/** Where the first word stands. */
function beginningOf(text: string): number {
  let position = 0
  for (;;) {
    const next = skipBlank(text, position) ?? text.length
    if (next === position && text[position] !== '(') return position
    position = Math.max(next, position + 1)
  }
}

function routeOfText(text: string, escapes: boolean, isBody = false): ReadRoute {
  let route = standby
  let statement: Token[] = []
  const calls = new CallWatch()
  for (const token of tokensOf(text, escapes)) {
    route = stricter(route, calls.next(token))
    if (isSymbol(token, ';')) {
      route = stricter(route, isBody ? routeInBody(statement) : routeOfWhole(statement, escapes))
      statement = []
    } else if (statement.length === 0 ? !opens(token, isBody) : looksInto(statement[0])) {
      statement.push(token)
    }
    if (route.to === 'nowhere') return route
  }
  route = stricter(route, calls.end())
  return stricter(route, isBody ? routeInBody(statement) : routeOfWhole(statement, escapes))
}

/** What stands before the first word of a statement: a parenthesis, or what opens a block. */
function opens(token: Token, isBody: boolean): boolean {
  return isSymbol(token, '(') || (isBody && token.kind === 'word' && token.text === 'begin')
}

/** EXECUTE of PL/pgSQL prepares nothing: what it executes is a string. */
function routeInBody(statement: readonly Token[]): ReadRoute {
  return statement[0]?.text === 'execute' ? standby : routeOfStatement(statement)
}

/** A statement, and the statements in it if it is a DO block. */
function routeOfWhole(statement: readonly Token[], escapes: boolean): ReadRoute {
  const [first, ...rest] = statement
  if (first?.kind !== 'word' || first.text !== 'do') return routeOfStatement(statement)
  return rest
    .filter(({ kind }) => kind === 'literal')
    .map(({ text }) => routeOfBody(text, escapes))
    .reduce(stricter, standby)
}

/** A block may end its transaction, begin another one and write there: what says so anywhere in it is enough. */
function routeOfBody(literal: string, escapes: boolean): ReadRoute {
  if (/read\s+write|transaction_read_only/i.test(literal)) {
    return nowhere('DO: what lets a session write is in its body')
  }
  const quote = literal.startsWith('$') ? literal.indexOf('$', 1) + 1 : literal.indexOf("'") + 1
  return routeOfText(literal.slice(quote, literal.length - (literal.startsWith('$') ? quote : 1)), escapes, true)
}

function isSymbol({ kind, text }: Token, symbol: string): boolean {
  return kind === 'symbol' && text === symbol
}
