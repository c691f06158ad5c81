import { isFinishedById } from "./parts.ts"

/** Deletions happen one after the other. */
export const lock = `select pg_advisory_xact_lock(x'76656e70'::int)`

const gone = (isStill = isFinishedById) => `
  ), gone as (
    delete from venom.task t using chosen where t.id = chosen.id and ${isStill}
    returning t.id, t.type, t.status
  ), tallied as (
    insert into venom.tally (type, status, n) select type, status, -count(*) from gone group by type, status
  )`

/** How many are finished, and how many of them owe a callback. */
export const finished = `
  select (select coalesce(sum(n), 0) from venom.tally where status in ('COMPLETED', 'FAILED'))::float8 as finished,
    (select count(*) from venom.task where owed)::float8 as owed`

const kept = "not ($6::boolean and t.owed)"

/**
 * Finished tasks to be deleted: first those whose time is over, then the oldest as many as are too many.
 * $1 now, $2 and $3 what a COMPLETED and a FAILED task had to finish by, $4 the limit, $5 how many are too many,
 * $6 whether those stay that owe a callback, $7 and $8 how long either is kept.
 */
export const prune = `
  with ended as (
    (select t.id, t.finished_at + $7::float8 as over from venom.task t
      where t.status = 'COMPLETED' and t.own_end is null and t.finished_at <= $2::bigint and ${kept}
      order by t.finished_at, t.id limit $4::int)
    union all
    (select t.id, t.finished_at + $8::float8 from venom.task t
      where t.status = 'FAILED' and t.own_end is null and t.finished_at <= $3::bigint and ${kept}
      order by t.finished_at, t.id limit $4::int)
    union all
    (select t.id, t.own_end from venom.task t
      where t.own_end <= $1::bigint and ${kept} order by t.own_end, t.id limit $4::int)
  ), first as materialized (
    select id from ended order by over, id limit $4::int
  ), oldest as (
    (select t.id, t.finished_at from venom.task t
      where t.status = 'COMPLETED' and t.own_end is null and ${kept} and t.id not in (select id from first)
        and $5::int > 0
      order by t.finished_at, t.id limit $4::int)
    union all
    (select t.id, t.finished_at from venom.task t
      where t.status = 'FAILED' and t.own_end is null and ${kept} and t.id not in (select id from first)
        and $5::int > 0
      order by t.finished_at, t.id limit $4::int)
    union all
    (select t.id, t.finished_at from venom.task t
      where t.own_end is not null and ${kept} and t.id not in (select id from first) and $5::int > 0
      order by t.finished_at, t.id limit $4::int)
  ), chosen as (
    select id from first
    union all
    (select id from oldest order by finished_at, id
      limit greatest(0, least($4::int, $5::int) - (select count(*) from first)))
  ${gone()}
  select id from gone`

/** When the time of the next one is over, of those of each kind that do not stay. */
export const nextEnds = `
  select
    (select t.finished_at from venom.task t where t.status = 'COMPLETED' and t.own_end is null
      and not ($1::boolean and t.owed) order by t.finished_at limit 1) as completed,
    (select t.finished_at from venom.task t where t.status = 'FAILED' and t.own_end is null
      and not ($1::boolean and t.owed) order by t.finished_at limit 1) as failed,
    (select t.own_end from venom.task t where t.own_end is not null
      and not ($1::boolean and t.owed) order by t.own_end limit 1) as own`

/** Deletes one task, if it is still in this revision. */
export const remove = `
  with chosen as (
    select id from venom.task where id = $1::uuid
  ${gone("t.revision = $2::float8")}, told as (
    insert into venom.change (body) select $3::text from gone
  )
  select id from gone`
