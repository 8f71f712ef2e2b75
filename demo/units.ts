/** `1,234` */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** A number stays on the line of its unit; `render` makes a plain blank of it. */
export const NO_BREAK = '\u00a0'

/** `3 ms`, `0.42 s`, `12.3 s` */
export function duration(millis: number): string {
  const [value, unit] = parts(millis)
  return `${value}${NO_BREAK}${unit}`
}

function parts(millis: number): readonly [value: string, unit: string] {
  if (millis < 1) return ['<1', 'ms']
  if (millis < 100) return [Math.round(millis).toString(), 'ms']
  return [(millis / 1000).toFixed(millis < 10_000 ? 2 : 1), 's']
}

/** A moment of the run: `12.3 s`, of a fixed width so that columns of them line up. */
export function moment(millis: number): string {
  return `${(Math.max(0, millis) / 1000).toFixed(1).padStart(4)} s`
}

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`
  return value < 1024 ** 2 ? `${(value / 1024).toFixed(0)} kB` : `${(value / 1024 ** 2).toFixed(1)} MB`
}

/** `1 request`, `2 requests` */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`
}
