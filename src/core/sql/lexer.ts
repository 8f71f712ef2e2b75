/** White space as the server knows it: no more than these. A comment ends at either kind of line end. */
const blank = /[ \t\n\r\f\v]+|--[^\n\r]*/y
const dollarTag = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y
const word = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y

const [space, dash, slash] = [0x20, 0x2d, 0x2f]

/** Where white space and comments that begin here end; undefined for a comment that never does. */
export function skipBlank(text: string, position: number): number | undefined {
  const char = text.charCodeAt(position)
  if (char > space && char !== dash && char !== slash) return position
  blank.lastIndex = position
  if (blank.test(text)) return blank.lastIndex
  return text.startsWith('/*', position) ? endOfComment(text, position) : position
}

/** Block comments nest. */
function endOfComment(text: string, start: number): number | undefined {
  let depth = 0
  for (let position = start; position < text.length; position += 1) {
    if (text.startsWith('/*', position)) {
      depth += 1
      position += 1
    } else if (text.startsWith('*/', position)) {
      depth -= 1
      position += 1
      if (depth === 0) return position + 1
    }
  }
  return undefined
}

/**
 * Where the token that begins here ends; undefined for a quote that never does. A literal or an identifier is one token with
 * what stands before its quote: `E'…'`, `X'…'`, `U&"…"`.
 *
 * @param escapes whether a backslash in a literal without a prefix escapes what follows it, which it does with
 *   `standard_conforming_strings` off: what is sent does not tell.
 */
export function endOfToken(text: string, position: number, escapes = false): number | undefined {
  const char = text[position]
  if (char === "'") return endOfLiteral(text, position, escapes)
  if (char === '"') return endOfQuoted(text, position, char)
  if (char === '$') {
    const tag = match(dollarTag, text, position)
    if (tag === undefined) return position + 1
    const delimiter = text.slice(position, tag)
    const end = text.indexOf(delimiter, tag)
    return end < 0 ? undefined : end + delimiter.length
  }
  const end = match(word, text, position)
  if (end === undefined) return position + 1
  return end === position + 1 ? endOfPrefixed(text, position) : end
}

/** Where a word of one letter ends, which may be the prefix of a quote. */
function endOfPrefixed(text: string, position: number): number | undefined {
  const letter = text.charAt(position).toLowerCase()
  if (letter === 'u' && text[position + 1] === '&') {
    const quote = text[position + 2]
    return quote === "'" || quote === '"' ? endOfQuoted(text, position + 2, quote) : position + 1
  }
  if (text[position + 1] !== "'") return position + 1
  if (letter === 'e') return endOfLiteral(text, position + 1, true)
  return letter === 'b' || letter === 'x' ? endOfQuoted(text, position + 1, "'") : position + 1
}

function endOfLiteral(text: string, start: number, escapes: boolean): number | undefined {
  return escapes ? endOfEscaped(text, start) : endOfQuoted(text, start, "'")
}

/** A quote is doubled to stand for itself. */
function endOfQuoted(text: string, start: number, quote: string): number | undefined {
  let end = text.indexOf(quote, start + 1)
  while (end >= 0 && text[end + 1] === quote) end = text.indexOf(quote, end + 2)
  return end < 0 ? undefined : end + 1
}

/** The same, where a backslash takes away the meaning of the quote behind it. */
function endOfEscaped(text: string, start: number): number | undefined {
  for (let position = start + 1; position < text.length; position += 1) {
    const char = text[position]
    if (char === '\\') position += 1
    else if (char === "'") {
      if (text[position + 1] !== "'") return position + 1
      position += 1
    }
  }
  return undefined
}

function match(pattern: RegExp, text: string, position: number): number | undefined {
  pattern.lastIndex = position
  return pattern.test(text) ? pattern.lastIndex : undefined
}
