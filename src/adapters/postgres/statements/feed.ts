/**
 * What has happened after a place, in its order. A number that is missing may still come: not once every transaction
 * has ended that ran when it was missed, which the snapshot tells.
 */
export const feed = `
  select c.seq, c.body, s.xmin, s.xmax from (
    select pg_snapshot_xmin(snapshot)::text as xmin, pg_snapshot_xmax(snapshot)::text as xmax
    from pg_current_snapshot() as snapshot
  ) s left join lateral (
    select seq, body from venom.change where seq > $1::bigint order by seq limit 200
  ) c on true order by c.seq`

/** The newest place, and the oldest that is still there. */
export const places = `select coalesce(max(seq), 0) as newest, coalesce(min(seq), 1) as oldest from venom.change`

/** Nobody goes on from so long ago. */
export const forget = `
  delete from venom.change where seq <= (select max(seq) from venom.change) - $2::bigint
    or at < clock_timestamp() - $1::int * interval '1 second'`
