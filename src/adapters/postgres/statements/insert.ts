import { changing, fixed, placeholders } from "./columns.ts"
import { isUnfinished } from "./parts.ts"

const names = [...fixed, ...changing]

/**
 * New tasks, what is told of them, and their number, in one statement. Rows of `change` are for a thousand of them.
 * Returns the ids of those that were inserted: with `unique`, not of those whose unique key a task has. In a
 * transaction of an application it is told when that commits.
 */
export const insert = (unique: boolean, place: "change" | "joined" = "change"): string => `
  with incoming as (
    select * from unnest(${placeholders(names, 1)}, $${names.length + 1}::text[])
      with ordinality as i(${names.join(", ")}, told, n)
  ), added as (
    insert into venom.task (${names.join(", ")})
    select ${names.join(", ")} from incoming
    ${unique ? `on conflict (unique_key) where unique_key is not null and ${isUnfinished} do nothing` : ""}
    returning id, type, status
  ), told as (
    insert into venom.${place} (body)
    select '[' || string_agg(i.told, ',' order by i.n) || ']' from incoming i join added using (id)
    group by (i.n - 1) / 1000 order by (i.n - 1) / 1000
  ), tallied as (
    insert into venom.tally (type, status, n) select type, status, count(*) from added group by type, status
  )
  select id from added`
