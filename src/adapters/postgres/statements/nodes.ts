export const join = `
  insert into venom.node (id, name, version, concurrency, expires_at)
  values ($1::uuid, $2, $3, $4::int, clock_timestamp() + $5::int * interval '1 millisecond')`

/** Still alive; or not any more, and then it never is again. */
export const beat = `
  update venom.node set expires_at = clock_timestamp() + $2::int * interval '1 millisecond'
  where id = $1::uuid and expires_at > clock_timestamp() returning id`

export const leave = `delete from venom.node where id = $1::uuid`

/** Those that have been dead for long. */
export const bury = `
  delete from venom.node n where expires_at < clock_timestamp() - interval '1 minute'
    and not exists (select 1 from venom.task t where t.status = 'PROCESSING' and t.node = n.id)`
