import { endOfToken, skipBlank } from '../sql/lexer'

/** Statements that run in one transaction of their own and commit nothing inside: these alone may be sent twice. */
const replayable: ReadonlySet<string> = new Set([
  'select',
  'values',
  'table',
  'with',
  'insert',
  'update',
  'delete',
  'merge',
])

/** So many words of a statement are looked at: what ends a transaction is told by no more. */
const mostWords = 6

/**
 * Whether this text is one statement of the allow-list. CALL, DO, several statements, COPY and what cannot run in a
 * transaction block commit inside and are not. A text that a scanner cannot read with certainty (a backslash inside
 * quotes means something else under another setting, a quote that does not end) is not replayable either.
 */
export function isReplayable(text: string): boolean {
  return commandOf(text) !== undefined
}

/** How a text begins that is one statement of the allow-list. */
export function commandOf(text: string): string | undefined {
  return firstWords(text, replayable)?.[0]
}

const controlling: ReadonlySet<string> = new Set(['begin', 'start', 'commit', 'end', 'abort', 'rollback', 'prepare'])
const committing: ReadonlySet<string> = new Set(['commit', 'end'])
const rollingBack: ReadonlySet<string> = new Set(['rollback', 'abort'])

/** Whether a text begins or ends a transaction, savepoints apart; as far as it can be read. */
export function controlsTransaction(text: string): boolean {
  const words = firstWords(text, controlling)
  if (words === undefined) return false
  const [first, second, third] = words
  if (first === 'rollback') return second !== 'to' && third !== 'to'
  return first !== 'prepare' || second === 'transaction'
}

/** The longest COMMIT that anybody writes, comments and all. */
const longestCommit = 500

/**
 * Whether a text is a COMMIT, or END, that ends its transaction and begins no other one. Asked of everything that is sent,
 * so what is longer is not looked at.
 */
export function isCommit(text: string): boolean {
  if (text.length > longestCommit) return false
  const words = firstWords(text, committing)
  if (words === undefined) return false
  const mode = words.slice(words[1] === 'work' || words[1] === 'transaction' ? 2 : 1)
  return mode.length === 0 || (mode.length === 3 && mode.join(' ') === 'and no chain')
}

/** Whether a text ends its transaction, and does not commit it. */
export function isRollback(text: string): boolean {
  return firstWords(text, rollingBack) !== undefined && controlsTransaction(text)
}

/**
 * How a text begins, in lower case, if it is one statement, begins with one of these words and can be read with certainty. Asked
 * of everything that is sent: what begins in another way is not read to its end.
 */
function firstWords(text: string, beginnings: ReadonlySet<string>): readonly string[] | undefined {
  const words: string[] = []
  let position = 0
  let ended = false
  while (position < text.length) {
    const next = skipBlank(text, position)
    if (next === undefined) return undefined
    if (next > position) {
      position = next
      continue
    }
    const char = text[position]
    if (char === ';') {
      ended = true
      position += 1
      continue
    }
    if (ended) return undefined
    if (words.length === 0 && char === '(') {
      position += 1
      continue
    }
    const token = endOfToken(text, position)
    if (token === undefined || holdsBackslash(text, position, token)) return undefined
    if (words.length < mostWords) {
      const word = text.slice(position, token).toLowerCase()
      if (words.length === 0 && !beginnings.has(word)) return undefined
      words.push(word)
    }
    position = token
  }
  return words.length > 0 ? words : undefined
}

/** Whether a token is a literal with a backslash in it: what that means depends on settings that we do not see. */
function holdsBackslash(text: string, start: number, end: number): boolean {
  return text[end - 1] === "'" && text.slice(start, end).includes('\\')
}
