/** As the indexes have it. */
export const isUnfinished = "status in ('PENDING', 'PROCESSING')"

/** Whether the deadline of a task named `t` has not passed at a time. */
export const inTime = (now: string): string => `(t.deadline is null or t.deadline > ${now}::bigint)`

/**
 * The same as the conditions of indexes, said so that they are not looked through: for rows that are found by id.
 */
export const isPendingById = "t.status not in ('PROCESSING', 'COMPLETED', 'FAILED')"
export const isFinishedById = "t.status not in ('PENDING', 'PROCESSING')"
