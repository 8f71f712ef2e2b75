/** Type and length: what every message begins with. */
export const headerBytes = 5

const code = (letter: string): number => letter.charCodeAt(0)

const E = code('E')
const N = code('N')
const C = code('C')
const S = code('S')
const A = code('A')
const T = code('T')

/** By its type: whether a message has texts in it whose ends a parser looks for. */
const withTexts = new Uint8Array(256)
for (const type of [E, N, C, S, A, T]) withTexts[type] = 1

/** Whether a message of this type is worth a look. */
export function hasTexts(type: number): boolean {
  return withTexts[type] === 1
}

/**
 * Why no PostgreSQL server would send this message, if its texts do not end where it does: a parser would read on, past the
 * end of the message, and of some for ever. Its body lies from `start` to `end`.
 */
export function misshape(type: number, bytes: Uint8Array, start: number, end: number): string | undefined {
  switch (type) {
    case E:
    case N:
      return endOfFields(bytes, start, end) > end ? 'an error or notice has no end' : undefined
    case C:
      return texts(bytes, start, end, 1)
    case S:
      return texts(bytes, start, end, 2)
    case A:
      return texts(bytes, start + 4, end, 2)
    case T:
      return endOfColumns(bytes, start, end) > end ? 'a description of rows has no end' : undefined
    default:
      return undefined
  }
}

/** A field is a letter and a text that ends with a zero; a zero in place of the letter ends the list. */
function endOfFields(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && bytes[at] !== 0) at = endOfText(bytes, at + 1, end)
  return at + 1
}

function texts(bytes: Uint8Array, start: number, end: number, count: number): string | undefined {
  let at = start
  for (let text = 0; text < count; text += 1) at = endOfText(bytes, at, end)
  return at > end ? 'a text has no end' : undefined
}

/** Of each column its name, and eighteen bytes. A number of columns that cannot be is found out by the parser. */
function endOfColumns(bytes: Uint8Array, start: number, end: number): number {
  if (start + 2 > end) return end
  const count = ((bytes[start] as number) << 8) | (bytes[start + 1] as number)
  let at = start + 2
  for (let column = 0; column < count && at <= end; column += 1) at = endOfText(bytes, at, end) + 18
  return at
}

/** The place after its zero, or one behind the end if there is none. */
function endOfText(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && bytes[at] !== 0) at += 1
  return at + 1
}
