import { endOfToken, skipBlank } from './lexer'

/** A token of a statement. Numbers and operators come as their single characters: nobody asks for more. */
export interface Token {
  /** `unicode` is an identifier with Unicode escapes, `U&"…"`, which may spell any name. */
  readonly kind: 'word' | 'quoted' | 'unicode' | 'literal' | 'symbol'
  /** A word in lower case, a quoted identifier without its quotes, everything else as it was written. */
  readonly text: string
}

/**
 * The tokens of a text, without white space and comments. It ends before a quote or a comment that does not end: no server
 * executes anything of such a text.
 *
 * @param escapes whether a backslash in a literal without a prefix escapes what follows it; see {@link isAmbiguous}.
 */
export function* tokensOf(text: string, escapes: boolean): Generator<Token, void, void> {
  // A literal may be continued on another line, where it means what it meant on the first.
  let continued = false
  for (let position = 0; position < text.length;) {
    const next = skipBlank(text, position)
    if (next === undefined) return
    if (next > position) {
      position = next
      continue
    }
    const end = endOfToken(text, position, escapes || continued)
    if (end === undefined) return
    const token = tokenOf(text.slice(position, end))
    continued = token.kind === 'literal' && isContinuedWithEscapes(token.text, continued)
    yield token
    position = end
  }
}

/**
 * Whether a text may be read in two ways, by `standard_conforming_strings`: only a quote behind a backslash ends a literal in
 * one of them and not in the other.
 */
export function isAmbiguous(text: string): boolean {
  return text.includes("\\'")
}

/** What a literal says, if it says it without escapes. */
export function plainValueOf({ kind, text }: Token): string | undefined {
  if (kind !== 'literal') return undefined
  if (text.startsWith('$')) return text.slice(text.indexOf('$', 1) + 1, text.lastIndexOf('$', text.length - 2))
  if (!/^e?'/i.test(text) || text.includes('\\')) return undefined
  return text.slice(text.indexOf("'") + 1, -1).replaceAll("''", "'")
}

function isContinuedWithEscapes(literal: string, continued: boolean): boolean {
  return /^e/i.test(literal) || (continued && literal.startsWith("'"))
}

function tokenOf(text: string): Token {
  if (text.length === 1) return single(text)
  switch (text[text.length - 1]) {
    case "'":
      return { kind: 'literal', text }
    case '"':
      return text.startsWith('"') ? { kind: 'quoted', text: text.slice(1, -1) } : { kind: 'unicode', text }
    default:
      return text.startsWith('$') ? { kind: 'literal', text } : { kind: 'word', text: text.toLowerCase() }
  }
}

function single(char: string): Token {
  return singles.get(char) ?? { kind: 'word', text: char }
}

/** Most tokens of a long text are single characters, and most of them the same ones. */
const singles: ReadonlyMap<string, Token> = new Map(
  Array.from({ length: 128 }, (_, code) => {
    const char = String.fromCharCode(code)
    return [char, /[a-z_]/i.test(char) ? { kind: 'word', text: char.toLowerCase() } : { kind: 'symbol', text: char }]
  }),
)
