/** How many tasks are in each status. */
export const counts = `select status, sum(n)::float8 as n from venom.tally group by status`

/** The same of each type. */
export const countsByType = `
  select type, status, sum(n)::float8 as n from venom.tally
  where type in (select type from venom.tally group by type having sum(n) > 0 limit $1::int) or type = any($2::text[])
  group by type, status`

/** Adds rows up, where they have become many. */
export const foldTally = `
  with gone as (
    delete from venom.tally where (select count(*) from (select 1 from venom.tally limit 500) few) = 500
    returning type, status, n
  )
  insert into venom.tally (type, status, n)
  select type, status, sum(n) from gone group by type, status having sum(n) <> 0`
