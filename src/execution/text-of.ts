/** The text of whatever pg's `query` takes, if it has one; a stream of pg-query-stream has it in its cursor. */
export function textOf(query: unknown): string | undefined {
  if (typeof query === 'string') return query
  const { text, cursor } = (query ?? {}) as { readonly text?: unknown; readonly cursor?: { readonly text?: unknown } }
  const found = text ?? cursor?.text
  return typeof found === 'string' ? found : undefined
}
