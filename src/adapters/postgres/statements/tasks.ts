import { columns } from "./columns.ts"

/**
 * A page, the newest first. What stands in a tag or a content is looked for as it is written: more may be found than
 * is meant.
 */
export const page = (filter: { readonly status: boolean; readonly type: boolean; readonly owed: boolean }): string => `
  select ${columns} from venom.task t
  where ($1::uuid is null or t.id < $1::uuid) and ($2::text is null or strpos(t.tags, $2::text) > 0)
    and ($3::text is null or strpos(t.content, $3::text) > 0)
    ${filter.status ? "and t.status = $5::text" : "and $5::text is null"}
    ${filter.owed ? "and t.owed" : ""}
    ${filter.type ? "and t.type = $6::text" : "and $6::text is null"}
  order by t.id desc limit $4::int`

/** PENDING tasks whose deadline has passed, and one more. */
export const overdue = `
  select ${columns} from venom.task t
  where t.status = 'PENDING' and t.deadline is not null order by t.deadline, t.id limit $1::int`

/** What nobody runs who is alive. */
export const orphans = `
  select ${columns} from venom.task t
  where t.status = 'PROCESSING' and not exists (
    select 1 from venom.node n where n.id = t.node and n.expires_at > clock_timestamp()
  ) limit $1::int`

/** What a node has claimed. */
export const ofNode = `
  select ${columns} from venom.task t where t.status = 'PROCESSING' and t.node = $1::uuid`
