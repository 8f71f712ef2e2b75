/** What the statements of the corpus are about. */
export const setup = `
  create table t (id serial primary key, a int, b text, c jsonb, d timestamptz, e numeric, f text[]);
  comment on table t is 'things';
  insert into t (a, b, c, d, e, f) select n % 5, nullif('row ' || n, 'row 4'), jsonb_build_object('k', n),
    timestamptz '2020-01-01 10:00+00' + n * interval '1 day', n * 1.5, array['x' || n, 'y'] from generate_series(1, 20) n;
  create table u (id serial primary key, t_id int, note text);
  insert into u (t_id, note) values (1, 'first'), (1, 'second'), (2, 'third');
  create table log (entry text);
  create unlogged table ul (a int);
  insert into ul values (1), (2);
  create table p (id int, part text) partition by range (id);
  create table p1 partition of p for values from (0) to (10);
  insert into p values (1, 'one'), (2, 'two');
  create sequence sq;
  create type mood as enum ('sad', 'happy');
  create domain posint as int check (value > 0);
  create type pair as (x int, y int);
  create view v as select id, a from t where a > 2;
  create materialized view mv as select a, count(*) from t group by a;
  create materialized view made_mv as select 1 as n with no data;

  create function writes() returns int language plpgsql as $$ begin insert into log values ('writes'); return 1; end $$;
  create function writes_stable() returns int stable language sql as 'select writes()';
  create function next_immutable() returns bigint immutable language sql as $$ select nextval('public.sq') $$;
  create function pure(x int) returns int immutable language sql as 'select x + 1';
  create function many() returns setof int language sql as 'select 1 union all select 2';
  create aggregate my_sum(int) (sfunc = int4pl, stype = int, initcond = '0');
  create procedure procedure_writes(n int) language sql as $$ insert into log values ('procedure ' || n) $$;
  create procedure procedure_commits() language plpgsql as
    $$ begin insert into log values ('one'); commit; insert into log values ('two'); end $$;

  create view v_writes as select writes() as n;
  create view v_next as select nextval('sq') as n;
  create function row_writes(t) returns int language sql as 'select writes()';
  create function lower(int) returns int language plpgsql as $$ begin insert into log values ('lower'); return $1; end $$;
  create function adds(text, text) returns text language plpgsql as $$ begin insert into log values ('adds'); return $1 || $2; end $$;
  create operator + (leftarg = text, rightarg = text, function = adds);
  create operator === (leftarg = int, rightarg = int, function = int4eq);
`

/** Everything that a statement may have changed in a database, and the locks that are held there. */
export const stateOf = `
  select jsonb_build_object(
    'relations', (select jsonb_agg(concat_ws(' ', relkind, relname, relacl, obj_description(oid, 'pg_class')) order by relname)
      from pg_class where relnamespace = 'public'::regnamespace),
    'rows', (select jsonb_object_agg(relname, query_to_xml(format('select x.* from public.%I x order by x::text', relname), true, true, '')::text)
      from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'm') and relispopulated),
    'sequences', (select jsonb_object_agg(relname, query_to_xml(format('select last_value, is_called from public.%I', relname), true, true, '')::text)
      from pg_class where relnamespace = 'public'::regnamespace and relkind = 'S'),
    'functions', (select jsonb_agg(oid::regprocedure::text order by 1) from pg_proc where pronamespace = 'public'::regnamespace),
    'types', (select jsonb_agg(typname order by 1) from pg_type where typnamespace = 'public'::regnamespace),
    'schemas', (select jsonb_agg(nspname order by 1) from pg_namespace where nspname !~ '^pg_'),
    'large objects', (select count(*) from pg_largeobject_metadata),
    'locks', (select jsonb_agg(concat_ws(' ', mode, objid) order by mode, objid) from pg_locks
      where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database()))
  ) as state`
