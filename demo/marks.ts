/** Something worth a mark below the strip, at a column of it. */
export interface Mark {
  readonly column: number
  readonly label: string
}

/**
 * The row of marks below the strip, and a second one where it is needed. A label stands to the right of its mark, or
 * else to the left, or else below it: marks may follow each other closely, as those of a switchover do.
 */
export function drawMarks(marks: readonly Mark[], width: number): string[] {
  let row = ''
  let below = ''
  marks.forEach(({ column, label }, index) => {
    const next = marks[index + 1]
    const end = next === undefined ? width : next.column - 1
    const taken = row === '' ? 0 : row.length + 1
    if (column + 1 + label.length <= end) {
      row = `${row.slice(0, column).padEnd(column)}▲${label}`
    } else if (taken + label.length <= column) {
      row = `${row.padEnd(column - label.length)}${label}▲`
    } else {
      row = `${row.slice(0, column).padEnd(column)}▲`
      const start = Math.max(0, Math.min(column, width - label.length))
      if (below === '' || below.length < start) below = below.padEnd(start) + label
    }
  })
  return below === '' ? [row] : [row, below]
}
