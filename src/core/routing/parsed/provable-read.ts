import { functions, operators, relations, types } from './built-ins'

/** A part of a parse tree: a node's fields, or one node under its name. */
type Fields = Readonly<Record<string, unknown>>

/** Says of the value of a field, and of what stands beside it, whether it may stand in a read. */
type Rule = (value: unknown, beside: Fields) => boolean

/**
 * What a read may be made of. What is not here, a node that a later grammar has for example, is not known to read: no other statement,
 * no row that a cursor is at, no sample that a method of somebody's takes.
 */
const nodes: ReadonlySet<string> = new Set(
  `A_ArrayExpr A_Const A_Expr A_Indices A_Indirection A_Star BitString BoolExpr Boolean BooleanTest CTECycleClause CTESearchClause CaseExpr
  CaseWhen CoalesceExpr CollateClause ColumnDef ColumnRef CommonTableExpr Float FuncCall GroupingFunc GroupingSet Integer JoinExpr
  JsonArgument JsonArrayAgg JsonArrayConstructor JsonArrayQueryConstructor JsonBehavior JsonFuncExpr JsonIsPredicate JsonKeyValue
  JsonObjectAgg JsonObjectConstructor JsonParseExpr JsonScalarExpr JsonSerializeExpr JsonTable JsonTableColumn JsonTablePathSpec
  JsonValueExpr List MinMaxExpr NamedArgExpr NullTest ParamRef RangeFunction RangeSubselect RangeTableFunc RangeTableFuncCol RangeVar
  ResTarget RowExpr SQLValueFunction SelectStmt SortBy String SubLink TypeCast TypeName WindowDef WithClause XmlExpr XmlSerialize`.split(
    /\s+/,
  ),
)

/** Of a sequence: WAL says where it will be 32 numbers later, so that a standby is ahead. */
const sequenceColumns: ReadonlySet<string> = new Set(['last_value', 'log_cnt', 'is_called'])

/** Wherever these fields stand. Each of them names something that may be anybody's. */
const rules: Readonly<Record<string, Rule>> = {
  funcname: (name) => isBuiltIn(functions, name),
  names: (name) => isBuiltIn(types, name),
  operName: isOperator,
  useOp: isOperator,
  relname: (_, relation) => isSameEverywhere(relation),
  indirection: isNoSequence,
  // SELECT … INTO makes a table. What follows FOR, as in FOR UPDATE, is a node of its own.
  intoClause: () => false,
}

/** Nodes that have a field with a name that is one for other nodes as well. */
const nodeRules: Readonly<Record<string, (fields: Fields) => boolean>> = {
  A_Expr: ({ name }) => isOperator(name),
  ColumnRef: ({ fields }) => isNoSequence(fields),
}

/**
 * Whether a parse tree, as libpg_query writes it, is that of one statement that reads and does nothing else: SELECT, VALUES, TABLE or WITH,
 * without a lock, without a part that writes, and naming no function, operator, type or catalog but PostgreSQL's own that are the same
 * on every host. What stands behind the name of a relation (a view, a policy, a sequence), of a column (a function of its row) or of an
 * operator or function that somebody has overloaded is not to be seen in a text.
 */
export function isProvableRead(tree: unknown): boolean {
  const { stmts } = tree as { readonly stmts?: readonly { readonly stmt?: Fields }[] }
  const [only, ...more] = stmts ?? []
  return only?.stmt?.['SelectStmt'] !== undefined && more.length === 0 && reads(only.stmt)
}

function reads(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(reads)
  return Object.entries(value).every(
    ([name, field]) =>
      (/^[A-Z]/.test(name) ? isKnown(name, field) : rules[name]?.(field, value as Fields) !== false) && reads(field),
  )
}

/** Names of nodes begin with a capital, names of fields do not. */
function isKnown(name: string, fields: unknown): boolean {
  return nodes.has(name) && nodeRules[name]?.(fields as Fields) !== false
}

/** Without a schema, or in the schema that PostgreSQL's own are in. */
function isBuiltIn(known: ReadonlySet<string>, name: unknown): boolean {
  const parts = partsOf(name)
  const last = parts.at(-1)
  return (
    last !== undefined && known.has(last) && (parts.length === 1 || (parts.length === 2 && parts[0] === 'pg_catalog'))
  )
}

function isOperator(name: unknown): boolean {
  const [first, ...more] = partsOf(name)
  // BETWEEN SYMMETRIC and its like have no name of their own.
  return isBuiltIn(
    operators,
    /^[A-Z]/.test(first ?? '') && more.length === 0 ? [string(first?.replaceAll(' ', '_'))] : name,
  )
}

/** Everybody's own relations are replicated. Of the server's, some show what a host, a process or a session is at. */
function isSameEverywhere({ relname, schemaname, catalogname }: Fields): boolean {
  if (catalogname !== undefined || typeof relname !== 'string') return false
  if (schemaname !== undefined && schemaname !== 'pg_catalog')
    return typeof schemaname === 'string' && !schemaname.startsWith('pg_')
  return relname.startsWith('pg_') || schemaname !== undefined ? relations.has(relname) : true
}

function isNoSequence(name: unknown): boolean {
  return !partsOf(name).some((part) => part !== undefined && sequenceColumns.has(part))
}

/** The words of a name; undefined in the place of what is none. */
function partsOf(name: unknown): readonly (string | undefined)[] {
  if (!Array.isArray(name)) return []
  return name.map((part) => (part as { readonly String?: { readonly sval?: string } }).String?.sval)
}

function string(sval: string | undefined): object {
  return { String: { sval } }
}
