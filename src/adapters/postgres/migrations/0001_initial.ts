import { Effect } from "effect"
import { SqlClient } from "effect/sql/SqlClient"

/**
 * All there is. Times are milliseconds since 1970. Texts that somebody else has chosen (keys, tags, contents, names of
 * entries) are as they stand between the quotes of JSON: PostgreSQL has no text with U+0000 or half a surrogate pair.
 */
const statements = [
  // other columns are found again in `state`, which is the whole task but for its content
  `create table venom.task (
    id uuid primary key,
    status text collate "C" not null check (status in ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED')),
    type text collate "C" not null,
    priority smallint not null,
    run_at bigint not null,
    deadline bigint,
    concurrency_key text collate "C" not null,
    unique_key text collate "C",
    tags text collate "C" not null,
    attempt integer not null,
    max_attempts integer not null,
    started_at bigint,
    finished_at bigint,
    own_end bigint,
    owed boolean not null,
    revision bigint not null,
    node uuid,
    claimed_at bigint,
    content text collate "C" not null,
    state text collate "C" not null
  ) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02)`,
  `comment on column venom.task.claimed_at is 'a claim that state does not know of yet'`,
  `comment on column venom.task.own_end is 'when a finished task goes that has a retention of its own'`,
  `create index task_due on venom.task (priority, run_at, id) where status = 'PENDING'`,
  `create index task_lane on venom.task (type, concurrency_key, priority, run_at, id) where status = 'PENDING'`,
  `create index task_keyed on venom.task (concurrency_key) where status = 'PENDING' and concurrency_key <> ''`,
  `create index task_deadline on venom.task (deadline, id) where status = 'PENDING' and deadline is not null`,
  `create index task_running on venom.task (node) where status = 'PROCESSING'`,
  `create unique index task_unique on venom.task (unique_key)
    where unique_key is not null and status in ('PENDING', 'PROCESSING')`,
  `create index task_finished on venom.task (status, finished_at, id)
    where status in ('COMPLETED', 'FAILED') and own_end is null`,
  `create index task_own_end on venom.task (own_end, id) where own_end is not null`,
  `create index task_failed on venom.task (id) where status = 'FAILED'`,
  `create index task_owed on venom.task (id) where owed`,
  `create index task_started on venom.task using brin (started_at)`,
  `create table venom.entry (
    name text collate "C" primary key,
    value text not null,
    revision integer not null,
    expires_at bigint
  )`,
  `create index entry_expiry on venom.entry (expires_at) where expires_at is not null`,
  // whoever claims reads this row and locks it: so nothing is claimed by a flow that another one has replaced
  `create table venom.flow (
    is_only boolean primary key default true check (is_only),
    is_free boolean not null,
    value text
  )`,
  `insert into venom.flow (is_free) values (true)`,
  // when a concurrency key has had its turn at a priority
  `create table venom.turn (
    concurrency_key text collate "C" not null,
    priority smallint not null,
    turn bigint not null,
    primary key (concurrency_key, priority)
  )`,
  // attempts of types that have a rate
  `create table venom.start (
    id bigint generated always as identity primary key,
    type text collate "C" not null,
    at bigint not null
  )`,
  `create index start_of_type on venom.start (type, at)`,
  // how many tasks of a type are in a status: the sum; it is written by adding rows, and rows are added up now and then
  `create table venom.tally (
    type text collate "C" not null,
    status text collate "C" not null,
    n bigint not null
  )`,
  // what has happened, in its order, for all nodes; a row is what one statement has done
  `create table venom.change (
    seq bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    body text not null
  )`,
  // what an application's own transaction has done is told when that commits: it may be long until then
  `create table venom.joined (
    id bigint generated always as identity primary key,
    body text not null
  )`,
  `create function venom.tell_joined() returns trigger language plpgsql as $$
    begin
      insert into venom.change (body) values (new.body);
      delete from venom.joined where id = new.id;
      return null;
    end
  $$`,
  `create constraint trigger tell_joined after insert on venom.joined
    deferrable initially deferred for each row execute function venom.tell_joined()`,
  `create table venom.node (
    id uuid primary key,
    name text not null,
    version text not null,
    concurrency integer not null,
    started_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null
  )`,
  // who does what one node does for all
  `create table venom.leader (
    is_only boolean primary key default true check (is_only),
    node uuid
  )`,
  `insert into venom.leader (node) values (null)`
]

export const migration = Effect.gen(function* () {
  const sql = yield* SqlClient
  for (const statement of statements) yield* sql.unsafe(statement)
})
