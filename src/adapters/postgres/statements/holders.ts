import { columns } from "./columns.ts"
import { isUnfinished } from "./parts.ts"

/** The unfinished tasks that have unique keys. */
export const holders = `
  select ${columns} from venom.task t where t.unique_key = any($1::text[]) and t.${isUnfinished}`
