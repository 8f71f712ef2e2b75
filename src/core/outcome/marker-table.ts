/** NAMEDATALEN - 1: the server cuts a longer name off. */
const mostBytes = 63

/** An identifier as the server's scanner reads one, plain or quoted. */
const identifier = String.raw`(?:[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|"(?:[^"\0]|"")+")`
const qualified = new RegExp(String.raw`^(?:(${identifier})\.)?(${identifier})$`)

const utf8 = new TextEncoder()

/** A table of marker rows. */
export interface MarkerTable {
  /** Its name with its schema, as it is written into statements. */
  readonly name: string
  /** The name of the index by which old rows are found, which is in the schema of the table. */
  readonly index: string
}

/**
 * The table that is meant by `name` or `schema.name`, each an SQL identifier, plain or quoted; undefined for anything else.
 * Without a schema it is in `public`: were it left to a session's `search_path`, the look-up might read another table than
 * the one that was written to, and a transaction that was committed would be done once more.
 */
export function readMarkerTable(given: unknown): MarkerTable | undefined {
  // Half a surrogate pair is sent as another character.
  if (typeof given !== 'string' || /\p{Surrogate}/u.test(given)) return undefined
  const [, schema = 'public', table] = qualified.exec(given) ?? []
  if (table === undefined || isTooLong(schema) || isTooLong(table)) return undefined
  return { name: `${schema}.${table}`, index: indexOf(table) }
}

function isTooLong(name: string): boolean {
  return utf8.encode(inside(name)).length > mostBytes
}

/** What stands in a quoted identifier; of a plain one itself. */
function inside(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name
}

/** Cut off by us: the server would leave nothing of the ending, and the table's own name be taken. */
function indexOf(table: string): string {
  const ending = '_written_at_idx'
  let stem = Array.from(inside(table))
  while (utf8.encode(stem.join('')).length + ending.length > mostBytes) stem = stem.slice(0, -1)
  const name = `${stem.join('')}${ending}`
  return table.startsWith('"') ? `"${name.replaceAll('"', '""')}"` : name
}

/** The statements that make a table of marker rows, where there is none. */
export function markerTableDdl({ name, index }: MarkerTable): string {
  return `-- One row for each transaction that may have to be looked up. Who writes needs select, insert, update and delete on it.
create table if not exists ${name} (
  id uuid primary key,
  committed boolean not null default true,
  written_at timestamptz not null default now()
);
create index if not exists ${index} on ${name} (written_at);
`
}
