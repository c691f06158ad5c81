/** What the database's clock says, in milliseconds. */
const now = "(extract(epoch from clock_timestamp()) * 1000)::float8"

/** A node says that it is there, for as long as its lease; once more where the first answer was lost. */
export const join = `
  insert into venom.node (id, name, version, concurrency, expires_at)
  values ($1::uuid, $2, $3, $4::int, clock_timestamp() + $5::float8 * interval '1 millisecond')
  on conflict (id) do update set expires_at = excluded.expires_at
  returning ${now} as now`

const isAlive = "n.expires_at > clock_timestamp()"

/**
 * It is still there: not where its lease is over, for then others may have taken its tasks. Takes the lead where nobody
 * has it who is there. Tells when the lease of another one is over, unless that one says something before.
 */
export const beat = `
  with beat as (
    update venom.node n set expires_at = clock_timestamp() + $2::float8 * interval '1 millisecond'
    where n.id = $1::uuid and ${isAlive} returning n.id
  ), led as (
    update venom.leader l set node = $1::uuid
    where exists (select 1 from beat) and l.node is distinct from $1::uuid
      and not exists (select 1 from venom.node n where n.id = l.node and ${isAlive})
    returning l.node
  )
  select exists (select 1 from beat) as alive, ${now} as now,
    exists (select 1 from beat) and (
      exists (select 1 from led) or exists (select 1 from venom.leader where node = $1::uuid)
    ) as leads,
    (select min(extract(epoch from n.expires_at - clock_timestamp()) * 1000)::float8
      from venom.node n where n.id <> $1::uuid and (${isAlive} or exists (
        select 1 from venom.task t where t.status = 'PROCESSING' and t.node = n.id
      ))) as next`

/** It is there no more, and leads no more. */
export const leave = `
  with left_to_others as (update venom.leader set node = null where node = $1::uuid)
  delete from venom.node where id = $1::uuid`

/** Those that have been dead for long. */
export const bury = `
  delete from venom.node n where n.expires_at < clock_timestamp() - interval '1 minute'
    and not exists (select 1 from venom.task t where t.status = 'PROCESSING' and t.node = n.id)`

/** Who is there, and what runs where. */
export const nodes = `
  select n.id, n.name, n.version, n.concurrency,
    (extract(epoch from n.started_at) * 1000)::float8 as started_at,
    (extract(epoch from n.expires_at) * 1000)::float8 as expires_at,
    ${isAlive} as alive,
    exists (select 1 from venom.leader l where l.node = n.id) as leads,
    (select count(*) from venom.task t where t.status = 'PROCESSING' and t.node = n.id)::int as running
  from venom.node n order by n.started_at`

/** Attempts that all nodes together may run at once. */
export const slots = `select coalesce(sum(n.concurrency), 0)::int as slots from venom.node n where ${isAlive}`
