import { line, span } from './style'
import type { Line } from './style'

const INDENT = 2
/** Between two columns of the table: as wide as there is room for. */
const MOST_GAP = 4
const LEAST_GAP = 2

/**
 * A table whose first column names what the others say, and whose first row is their head. It is as wide as its content
 * wants; where the terminal is too narrow even for that, each name stands above its values.
 */
export function drawTable(rows: readonly (readonly string[])[], columns: number): Line[] {
  const [nameWidth = 0, ...widths] = rows[0]?.map((_, place) => longest(rows, place)) ?? []
  const content = widths.reduce((sum, width) => sum + width, 0)
  const gap = Math.floor((columns - INDENT - nameWidth - content) / Math.max(1, widths.length))
  const stacked = gap < LEAST_GAP
  const between = stacked ? LEAST_GAP : Math.min(gap, MOST_GAP)
  return rows.flatMap(([name = '', ...cells], index) => {
    const values = cells.map((cell, place) => ' '.repeat(between) + cell.padStart(widths[place] ?? 0)).join('')
    const toned = span(values, index === 0 ? 'faint' : 'plain')
    const label = ' '.repeat(INDENT) + name
    if (!stacked) return [line(label.padEnd(INDENT + nameWidth), toned)]
    return name === '' ? [line(toned)] : [line(label), line(toned)]
  })
}

function longest(rows: readonly (readonly string[])[], place: number): number {
  return Math.max(...rows.map((row) => row[place]?.length ?? 0))
}
