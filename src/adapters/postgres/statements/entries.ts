/** An entry by its name. */
export const entry = `select name, value, revision, expires_at from venom.entry where name = $1`

/** Those whose names begin so. */
export const entries = `
  select name, value, revision, expires_at from venom.entry where starts_with(name, $1) order by name`

const told = (parameter: string) => `
  , told as (insert into venom.change (body) select ${parameter}::text from done where ${parameter}::text is not null)
  select revision from done`

/** Makes an entry where there is none, or only one that has expired. */
export const makeEntry = `
  with done as (
    insert into venom.entry as e (name, value, revision, expires_at) values ($1, $2, 1, $3::bigint)
    on conflict (name) do update set value = excluded.value, revision = 1, expires_at = excluded.expires_at
      where e.expires_at <= $4::bigint
    returning revision
  )${told("$5")}`

/** Changes an entry that has the revision. */
export const changeEntry = `
  with done as (
    update venom.entry set value = $2, revision = revision + 1, expires_at = $3::bigint
    where name = $1 and revision = $6::int and (expires_at is null or expires_at > $4::bigint)
    returning revision
  )${told("$5")}`

/** Takes away an entry that has the revision. */
export const takeEntry = `
  with done as (
    delete from venom.entry
    where name = $1 and revision = $3::int and (expires_at is null or expires_at > $2::bigint)
    returning revision
  )${told("$4")}`

/** Takes away what has expired. */
export const expire = `
  delete from venom.entry where name = any(array(
    select name from venom.entry where expires_at <= $1::bigint order by expires_at limit $2::int for update skip locked
  )) returning name`

/** When the next one expires. */
export const nextExpiry = `select min(expires_at) as at from venom.entry where expires_at is not null`

/** Entries as they were elsewhere. */
export const putBack = `
  insert into venom.entry (name, value, revision, expires_at)
  select * from unnest($1::text[], $2::text[], $3::float8[], $4::float8[])`
