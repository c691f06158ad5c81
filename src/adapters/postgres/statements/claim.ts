import { columns } from "./columns.ts"
import { inTime, isPendingById } from "./parts.ts"

/** What is told of a claim; `Told.ts` reads it. */
const told = `json_build_array(t.id, t.type, t.tags, t.attempt, t.max_attempts, t.run_at, t.revision, t.claimed_at)`

/** Makes the tasks whose ids `due` has PROCESSING; what the domain says of a claim is added where the row is read. */
const claimed = (due: string) => `
  claimed as (
    update venom.task t
    set status = 'PROCESSING', attempt = t.attempt + 1, started_at = greatest($1::bigint, t.started_at + 1),
      claimed_at = $1::bigint, revision = t.revision + 1, node = $2::uuid
    where t.id = any(array(select id from ${due})) and ${isPendingById}
    returning t.*
  ), told as (
    insert into venom.change (body)
    select '[' || string_agg((${told})::text, ',' order by t.priority, t.run_at, t.id) || ']'
    from claimed t having count(*) > 0
  ), tallied as (
    insert into venom.tally (type, status, n)
    select type, 'PENDING', -count(*) from claimed group by type
    union all select type, 'PROCESSING', count(*) from claimed group by type
  )`

/**
 * Claims by priority, due time and age, whatever other nodes claim meanwhile: where nothing is held back and no due
 * task has a concurrency key; else nothing. The row of the flow is locked, so a claim knows the newest one.
 */
export const claimFreely = `
  with recursive gate as materialized (
    select 1 from venom.flow f
    where f.is_free and not exists (
      select 1 from venom.task where status = 'PENDING' and concurrency_key <> ''
    ) limit 1 for share
  ), priorities(priority) as (
    (select priority from venom.task where status = 'PENDING' order by priority limit 1)
    union all
    select (select t.priority from venom.task t where t.status = 'PENDING' and t.priority > p.priority
      order by t.priority limit 1)
    from priorities p where p.priority is not null
  ), due as (
    select d.id from gate, priorities p cross join lateral (
      select t.id from venom.task t
      where t.status = 'PENDING' and t.priority = p.priority and t.run_at <= $1::bigint and ${inTime("$1")}
        and ($4::text[] is null or t.type = any($4::text[]))
      order by t.run_at, t.id limit $3::int for update skip locked
    ) d limit $3::int
  ), ${claimed("due")}
  select ${columns} from claimed t`

/** Claims these. */
export const claimThese = `
  with due as (select id from unnest($3::uuid[]) as i(id)), ${claimed("due")}
  select ${columns} from claimed t`
