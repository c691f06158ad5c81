import { inTime } from "./parts.ts"

/**
 * Lanes: PENDING tasks of one type, one concurrency key and one priority. Each is found by one step in an index,
 * whatever it holds; with the time at which its first one is due.
 */
export const lanes = `
  with recursive lane(type, concurrency_key, priority) as (
    (select type, concurrency_key, priority from venom.task where status = 'PENDING'
      order by type, concurrency_key, priority limit 1)
    union all
    select n.type, n.concurrency_key, n.priority from lane l cross join lateral (
      select t.type, t.concurrency_key, t.priority from venom.task t
      where t.status = 'PENDING'
        and (t.type, t.concurrency_key, t.priority) > (l.type, l.concurrency_key, l.priority)
      order by t.type, t.concurrency_key, t.priority limit 1
    ) n
  )
  select l.type, l.concurrency_key as key, l.priority, h.run_at as first, turn.turn
  from lane l cross join lateral (
    select t.run_at from venom.task t
    where t.status = 'PENDING' and t.type = l.type and t.concurrency_key = l.concurrency_key
      and t.priority = l.priority and ($1::bigint is null or ${inTime("$1")})
    order by t.run_at limit 1
  ) h left join venom.turn using (concurrency_key, priority)`

/** The first tasks of lanes that are due, after those that were told. */
export const heads = `
  select l.n - 1 as lane, h.id, h.run_at
  from unnest($2::text[], $3::text[], $4::float8[], $5::float8[], $6::uuid[])
    with ordinality as l(type, key, priority, run_at, id, n)
  cross join lateral (
    select t.id, t.run_at from venom.task t
    where t.status = 'PENDING' and t.type = l.type and t.concurrency_key = l.key
      and t.priority = l.priority::smallint and t.run_at <= $1::bigint and ${inTime("$1")}
      and (t.run_at, t.id) > (l.run_at::bigint, l.id)
    order by t.run_at, t.id limit $7::int
  ) h order by l.n, h.run_at, h.id`

/** Attempts that run, by type and key; those of a node besides. */
export const running = `
  select type, concurrency_key as key, count(*)::int as count, (count(*) filter (where node = $1::uuid))::int as here
  from venom.task where status = 'PROCESSING' group by type, concurrency_key`

/** When a priority has its first task. */
export const firstDue = `
  with recursive priorities(priority) as (
    (select priority from venom.task where status = 'PENDING' order by priority limit 1)
    union all
    select (select t.priority from venom.task t where t.status = 'PENDING' and t.priority > p.priority
      order by t.priority limit 1)
    from priorities p where p.priority is not null
  )
  select min(h.run_at) as at from priorities p cross join lateral (
    select t.run_at from venom.task t where t.status = 'PENDING' and t.priority = p.priority order by t.run_at limit 1
  ) h`

/** Due tasks that are not more urgent than one of a priority, by key and priority, and how many are due before it. */
export const rivals = `
  select t.concurrency_key as key, t.priority, count(*)::int as count,
    (count(*) filter (where (t.run_at, t.id) < ($3::bigint, $4::uuid)))::int as before,
    min(t.run_at) as first, min(turn.turn) as turn
  from venom.task t left join venom.turn using (concurrency_key, priority)
  where t.status = 'PENDING' and t.run_at <= $1::bigint and ${inTime("$1")} and t.priority <= $2::smallint
    and not t.type = any($5::text[]) and ($6::text[] is null or t.type = any($6::text[]))
  group by t.concurrency_key, t.priority`
