/** A place in a trace, as the header `traceparent` says it: https://www.w3.org/TR/trace-context/, of version 00. */
export const pattern = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/

/** Of a version to come, the part that this one has; another may follow. */
const later = /^(?!00|ff)[0-9a-f]{2}(-[0-9a-f]{32}-[0-9a-f]{16}-)([0-9a-f]{2})(-.*)?$/

/** Nothing where it is not one to the letter: then there is no trace. */
export const read = (text: string | undefined): string | undefined => {
  if (text === undefined) return undefined
  const known = text.replace(later, (_, ids: string, flags: string) => `00${ids}0${Number.parseInt(flags, 16) & 1}`)
  return pattern.test(known) ? known : undefined
}
