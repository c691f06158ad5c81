import { Result } from "effect"
import { PgTypes } from "@effect/sql-pg"

const array = (values: ReadonlyArray<unknown>, oid: number) => Result.getOrThrow(PgTypes.array(values, oid))

/** Arrays as PostgreSQL takes them, also where they are empty or hold nulls. */
export const texts = (values: ReadonlyArray<string | null>) => array(values, PgTypes.OID.text)
export const uuids = (values: ReadonlyArray<string>) => array(values, PgTypes.OID.uuid)
export const flags = (values: ReadonlyArray<boolean>) => array(values, PgTypes.OID.bool)
/** Whole numbers: a double holds every one that Venom has. */
export const numbers = (values: ReadonlyArray<number | null>) => array(values, PgTypes.OID.float8)
