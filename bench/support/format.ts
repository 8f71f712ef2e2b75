/** A number for people: three significant digits or whole, a dash where there is none. */
export function show(value: number, digits?: number): string {
  if (Number.isNaN(value)) return '-'
  return value.toFixed(digits ?? (Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2))
}

/** Plain text in columns: numbers to the right, words to the left. */
export function formatTable(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  const columns = headers.map((header, index) => {
    const cells = rows.map((row) => row[index] ?? '')
    const width = Math.max(header.length, ...cells.map(({ length }) => length))
    return { width, right: index > 0 && cells.every((cell) => numeric.test(cell)) }
  })
  const line = (row: readonly string[]): string =>
    columns
      .map(({ width, right }, index) => (right ? (row[index] ?? '').padStart(width) : (row[index] ?? '').padEnd(width)))
      .join('  ')
      .trimEnd()
  return [line(headers), columns.map(({ width }) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}

const numeric = /^([+-]?[\d.,]+( [kM]?B)?|-|never back)$/
