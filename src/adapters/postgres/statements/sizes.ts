/** What each table takes on disk, with its indexes. */
export const sizes = `
  select relname as name, pg_total_relation_size(oid)::float8 as bytes from pg_class
  where relnamespace = 'venom'::regnamespace and relkind = 'r' order by relname`
