import { routeOfFunction } from '../../src/core/routing/pinned'
import type { Host } from './host'

/** What a server says of its own functions, operators, types and relations. */
export interface BuiltIns {
  readonly functions: readonly string[]
  readonly operators: readonly string[]
  readonly types: readonly string[]
  readonly relations: readonly string[]
  /** Functions of which at least one of that name will not do. */
  readonly disqualified: readonly string[]
}

/** Volatile, but they only look at the clock, at chance, at a catalog or at nothing: the same anywhere, and nothing is left behind. */
const harmless = [
  'array_sample',
  'array_shuffle',
  'clock_timestamp',
  'current_query',
  'gen_random_uuid',
  'pg_partition_ancestors',
  'pg_partition_tree',
  'pg_sleep',
  'pg_sleep_for',
  'pg_sleep_until',
  'random',
  'random_normal',
  'timeofday',
  'uuidv4',
  'uuidv7',
]

/** Not volatile, but each host, process or session has its own answer; or they read what their argument names, whatever that is. */
const own = [
  '^pg_stat_',
  '^inet_(client|server)_',
  '^(current_setting|pg_show_all_settings|pg_config|version|pg_conf_load_time|pg_postmaster_start_time)$',
  '^(pg_backend_pid|pg_cursor|pg_prepared_statement|pg_listening_channels|pg_my_temp_schema|pg_is_other_temp_schema)$',
  '^(pg_available_.*|pg_extension_update_paths|pg_timezone_.*|pg_tablespace_location|pg_numa_available)$',
  '^(pg_current_snapshot|pg_current_xact_id.*|txid_current.*|age|mxid_age|pg_get_replication_slots)$',
  '^(pg_event_trigger_.*|.*_validator)$',
  '_to_xml',
]

/** Views of the catalogs and of nothing else. */
const views = [
  'pg_group',
  'pg_indexes',
  'pg_matviews',
  'pg_policies',
  'pg_publication_tables',
  'pg_roles',
  'pg_rules',
  'pg_seclabels',
  'pg_shadow',
  'pg_stats',
  'pg_stats_ext',
  'pg_stats_ext_exprs',
  'pg_tables',
  'pg_user',
  'pg_user_mappings',
  'pg_views',
]

/** How the grammar names what is an operator by its words: it puts others in their place, all built-in. */
const inWords = ['BETWEEN', 'NOT_BETWEEN', 'BETWEEN_SYMMETRIC', 'NOT_BETWEEN_SYMMETRIC']

const catalog = `'pg_catalog'::regnamespace`

/** Reads what of a server's own a statement may use and still be a read that is the same on every host. */
export async function readBuiltIns(host: Host): Promise<BuiltIns> {
  const names = async (text: string, values: unknown[] = []): Promise<string[]> =>
    (await host.query<{ name: string }>(text, values)).map(({ name }) => name)
  const functions = await host.query<{ name: string; fits: boolean; documented: boolean }>(
    `select proname as name,
       bool_and((provolatile <> 'v' or proname = any ($1)) and prokind in ('f', 'a', 'w') and not 'internal'::regtype = any (proargtypes)
         and prorettype not in ('internal'::regtype, 'trigger'::regtype, 'event_trigger'::regtype, 'language_handler'::regtype,
           'fdw_handler'::regtype, 'index_am_handler'::regtype, 'table_am_handler'::regtype, 'tsm_handler'::regtype)) as fits,
       bool_or(coalesce(obj_description(oid, 'pg_proc'), '') !~ '^(implementation of|I/O)') as documented
     from pg_proc where pronamespace = ${catalog} group by 1 order by 1`,
    [harmless],
  )
  const other = new RegExp(own.join('|'))
  const will = functions.filter(({ name, fits }) => fits && !other.test(name) && routeOfFunction(name).to === 'standby')
  const disqualified = functions.filter((each) => !will.includes(each))
  return {
    // What implements operators and the input and output of types is called by other names.
    functions: will.filter(({ documented }) => documented).map(({ name }) => name),
    operators: [...(await names(operators)), ...inWords],
    types: await names(
      `select typname as name from pg_type where typnamespace = ${catalog} and typtype in ('b', 'r', 'm') and typcategory <> 'A'`,
    ),
    relations: [
      ...(await names(`select relname as name from pg_class where relnamespace = ${catalog} and relkind = 'r'`)),
      ...views,
    ],
    disqualified: disqualified.map(({ name }) => name),
  }
}

const operators = `select oprname as name from pg_operator join pg_proc p on p.oid = oprcode
  where oprnamespace = ${catalog} group by 1 having bool_and(provolatile <> 'v')`
