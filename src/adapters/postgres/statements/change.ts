import { changing, placeholders } from "./columns.ts"

const afterId = changing.length + 2

/**
 * New states of tasks, each where the task has not changed since it was read. Returns the ids of those that became so.
 */
export const change = `
  with incoming as (
    select * from unnest($1::uuid[], ${placeholders(changing, 2)},
      $${afterId}::float8[], $${afterId + 1}::text[], $${afterId + 2}::text[])
      with ordinality as i(id, ${changing.join(", ")}, expected, was, told, n)
  ), changed as (
    update venom.task t
    set ${changing.map((name) => `${name} = i.${name}`).join(", ")}, claimed_at = null,
      node = case when i.status = 'PROCESSING' then t.node end
    from incoming i where t.id = i.id and t.revision = i.expected
    returning t.id, t.type, i.was, i.status, i.told, i.n
  ), told as (
    insert into venom.change (body)
    select '[' || string_agg(told, ',' order by n) || ']' from changed where told <> '' having count(*) > 0
  ), tallied as (
    insert into venom.tally (type, status, n)
    select type, status, sum(n) from (
      select type, was as status, -1 as n from changed where was <> status
      union all select type, status, 1 from changed where was <> status
    ) one group by type, status
  )
  select id from changed`
