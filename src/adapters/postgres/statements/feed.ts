/**
 * What has happened after a place, in its order. A number that is missing may still come: not once every transaction
 * has ended that ran when it was missed, which the snapshot tells.
 */
export const feed = `
  select c.seq, c.body, s.xmin, s.xmax, s.newest from (
    select pg_snapshot_xmin(snapshot)::text as xmin, pg_snapshot_xmax(snapshot)::text as xmax,
      (select coalesce(max(seq), 0) from venom.change) as newest
    from pg_current_snapshot() as snapshot
  ) s left join lateral (
    select seq, body from venom.change where seq > $1::bigint order by seq limit 50
  ) c on true order by c.seq`

/** What has come of numbers that were missing. */
export const late = `select seq, body from venom.change where seq = any($1::float8[]::bigint[]) order by seq`

/** The newest place. */
export const newest = `select coalesce(max(seq), 0) as newest from venom.change`

/** What has happened up to a place, up to a size: the newest rows between which none is missing. */
export const newestRows = `
  with recent as (
    select seq, body, sum(pg_column_size(body)) over (order by seq desc) as size
    from venom.change where seq <= $1::bigint and seq > $1::bigint - $2::int
  )
  select seq, body from recent
  where size <= $3::int and seq > coalesce((
    select max(g.seq) from generate_series($1::bigint - $2::int, $1::bigint) as g(seq)
    where not exists (select 1 from recent r where r.seq = g.seq)
  ), 0)
  order by seq`

/** Nobody goes on from so long ago. The newest stays: whoever has read it would take it for lost. */
export const forget = `
  delete from venom.change c using (select max(seq) as seq from venom.change) newest
  where c.seq <= newest.seq - $2::bigint
    or (c.seq < newest.seq and c.at < clock_timestamp() - $1::int * interval '1 second')`
