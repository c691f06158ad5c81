/** So many of something: `1 task`, `2 tasks`. */
export const of = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString("en")} ${count === 1 ? one : many}`
