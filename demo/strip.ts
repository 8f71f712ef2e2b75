import { span } from './style'
import type { Line, Span, Tone } from './style'

/** Requests issued in one slice of time: the longest of them, and whether one of them still waits. */
export interface Slice {
  readonly worstMillis: number
  readonly waiting: boolean
}

/** Something worth a mark below the strip. */
export interface Mark {
  readonly at: number
  readonly label: string
}

export const SLICE_MILLIS = 250

const BLOCKS = ' ▁▂▃▄▅▆▇█'
/** From below; one row, or several, for every power of ten. */
const SCALE = ['1 ms', '10 ms', '100 ms', '1 s']
const LABEL_WIDTH = 8

/**
 * The latency strip: time goes to the right, one column a slice, as high as the logarithm of the longest wait of a
 * request that was issued then. A hold is thus a slope: who came first waited longest.
 */
export function drawStrip(slices: readonly Slice[], columns: number, rowsPerDecade = 1): Line[] {
  const shown = slices.slice(firstShown(slices.length, columns))
  const height = SCALE.length * rowsPerDecade
  const levels = shown.map(({ worstMillis }) => level(worstMillis, height * 8, rowsPerDecade * 8))
  const lines: Line[] = []
  for (let row = height - 1; row >= 0; row--) {
    const label = row % rowsPerDecade === 0 ? (SCALE[row / rowsPerDecade] ?? '') : ''
    const cells = shown.map((slice, index): Span => {
      const filled = Math.min(8, Math.max(0, (levels[index] ?? 0) - row * 8))
      return span(BLOCKS.charAt(filled), toneOf(slice))
    })
    lines.push([span(`${label.padStart(LABEL_WIDTH - 2)} ┤`, 'faint'), ...joined(cells)])
  }
  return lines
}

/** The row of marks below it. A label that would run into the next mark is left out. */
export function drawMarks(marks: readonly Mark[], sliceCount: number, columns: number): string {
  const first = firstShown(sliceCount, columns)
  const places = marks
    .map(({ at, label }) => ({ column: Math.floor(at / SLICE_MILLIS) - first, label }))
    .filter(({ column }) => column >= 0)
  let row = ''
  places.forEach(({ column, label }, index) => {
    const room = (places[index + 1]?.column ?? Math.max(columns - LABEL_WIDTH, 0)) - column
    row = row.slice(0, column).padEnd(column) + (label.length + 1 < room ? `▲${label}` : '▲')
  })
  return ' '.repeat(LABEL_WIDTH) + row
}

function firstShown(sliceCount: number, columns: number): number {
  return Math.max(0, sliceCount - Math.max(0, columns - LABEL_WIDTH))
}

function level(millis: number, most: number, perDecade: number): number {
  if (millis <= 0) return 0
  return Math.min(most, Math.max(1, Math.round(Math.log10(millis) * perDecade)))
}

function toneOf({ worstMillis, waiting }: Slice): Tone {
  if (waiting) return 'calm'
  return worstMillis < 100 ? 'good' : 'slow'
}

/** Neighbours of one tone become one span: a tenth of the escape sequences. */
function joined(cells: readonly Span[]): Span[] {
  const spans: Span[] = []
  for (const cell of cells) {
    const last = spans.at(-1)
    if (last?.tone === cell.tone) spans[spans.length - 1] = span(last.text + cell.text, cell.tone)
    else spans.push(cell)
  }
  return spans
}
