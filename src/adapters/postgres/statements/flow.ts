/** What holds back tasks. */
export const flow = `select value from venom.flow`

/** The same, and nobody else claims or changes it until the transaction ends. */
export const flowLocked = `select value from venom.flow for update`

export const setFlow = `update venom.flow set value = $1, is_free = $2`

/** The same, told to all nodes. */
export const changeFlow = `
  with changed as (${setFlow} returning 1)
  insert into venom.change (body) select $3::text from changed`

/** Whether what is not held back may be claimed freely. */
export const isFree = `
  select f.is_free and not exists (select 1 from venom.task where status = 'PENDING' and concurrency_key <> '') as is_free
  from venom.flow f`

/** Since when the last attempts of a type have begun, the newest first. */
export const starts = `select at from venom.start where type = $1 order by at desc offset $2::int limit $3::int`

export const addStarts = `
  insert into venom.start (type, at) select type, $1::bigint from unnest($2::text[]) as s(type)`

/** What has begun has begun by now: the clock went back. */
export const turnStartsBack = `update venom.start set at = $1::bigint where at > $1::bigint`

export const forgetStarts = `delete from venom.start where type = $1`

/** Tasks whose attempts may have begun since a time, those whose last has begun last; others have no later ones. */
export const begunSince = `
  select t.content, t.state, t.claimed_at from venom.task t where t.type = $1 and t.started_at > $2::bigint
  order by t.started_at desc limit $3::int`

/** Those that began first among the known ones. */
export const forgetFirstStarts = `
  delete from venom.start
  where type = $1 and at = (select min(at) from venom.start where type = $1) returning at`

/** Of types with a rate so many of the last starts stay: no rate counts more. */
export const forgetOldStarts = `
  delete from venom.start s using (
    select type, (
      select o.at from venom.start o where o.type = t.type order by o.at desc offset $2::int limit 1
    ) as at from unnest($1::text[]) as t(type)
  ) past where s.type = past.type and s.at <= past.at`

export const lastBegun = `select max(started_at) as at from venom.task where type = $1`

export const takeTurns = `
  insert into venom.turn (concurrency_key, priority, turn)
  select * from unnest($1::text[], $2::float8[], $3::float8[])
  on conflict (concurrency_key, priority) do update set turn = excluded.turn`
