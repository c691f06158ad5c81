/** The state in PostgreSQL, which any number of processes share. Needs `@effect/sql-pg`. */

export * as PostgresStateRepository from "./adapters/postgres/Connected.ts"
