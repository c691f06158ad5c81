/** A text as it stands between the quotes of JSON. Equal texts stay equal, and others do not become so. */
export const escape = (text: string): string => JSON.stringify(text).slice(1, -1)

export const unescape = (text: string): string => (text.includes("\\") ? parsed(text) : text)

const parsed = (text: string): string => {
  const found: unknown = JSON.parse(`"${text}"`)
  return typeof found === "string" ? found : ""
}
