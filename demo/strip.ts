import { span } from './style'
import type { Line, Span, Tone } from './style'

/** Requests issued in one slice of time: the longest of them, and whether one of them still waits. */
export interface Slice {
  readonly worstMillis: number
  readonly waiting: boolean
}

/** The finest that is remembered; a slice is a multiple of it. */
export const GRAIN_MILLIS = 50

/** About as long as a run takes: from the beginning on, one column stands for so much that all of it will fit. */
const RUN_MILLIS = 20_000

const BLOCKS = ' ▁▂▃▄▅▆▇█'
/** From below; one row, or several, for every power of ten. */
const SCALE = ['1 ms', '10 ms', '100 ms', '1 s']
export const LABEL_WIDTH = 8

/** How much time one column stands for, so that the whole run is seen: a longer one gets coarser, it never scrolls. */
export function sliceMillis(elapsedMillis: number, columns: number): number {
  const room = Math.max(1, columns - LABEL_WIDTH - 1)
  return Math.ceil(Math.max(RUN_MILLIS, elapsedMillis) / room / GRAIN_MILLIS) * GRAIN_MILLIS
}

/**
 * The latency strip: time goes to the right, one column a slice, as high as the logarithm of the longest wait of a
 * request that was issued then. A hold is thus a slope: who came first waited longest.
 */
export function drawStrip(slices: readonly Slice[], rowsPerDecade = 1): Line[] {
  const height = SCALE.length * rowsPerDecade
  const levels = slices.map(({ worstMillis }) => level(worstMillis, height * 8, rowsPerDecade * 8))
  const lines: Line[] = []
  for (let row = height - 1; row >= 0; row--) {
    const label = row % rowsPerDecade === 0 ? (SCALE[row / rowsPerDecade] ?? '') : ''
    const cells = slices.map((slice, index): Span => {
      const filled = Math.min(8, Math.max(0, (levels[index] ?? 0) - row * 8))
      return span(BLOCKS.charAt(filled), toneOf(slice))
    })
    lines.push([span(`${label.padStart(LABEL_WIDTH - 2)} ┤`, 'faint'), ...joined(cells)])
  }
  return lines
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
