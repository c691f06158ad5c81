/** As the indexes have it. */
export const isUnfinished = "status in ('PENDING', 'PROCESSING')"

/** Whether the deadline of a task named `t` has not passed at a time. */
export const inTime = (now: string): string => `(t.deadline is null or t.deadline > ${now}::bigint)`
