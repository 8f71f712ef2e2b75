/** pg's `types` for questions of ours: answered in the server's text, whatever type parsers the application has set. */
export const asText = { getTypeParser: () => (value: string) => value }
