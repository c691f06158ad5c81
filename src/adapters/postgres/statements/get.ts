import { columns } from "./columns.ts"

/** Tasks by their ids. */
export const get = `select ${columns} from venom.task t where t.id = any($1::uuid[])`
