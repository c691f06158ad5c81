/**
 * Loaded before the program: makes its disk fail as the file that `FAILING_DISK` names says. `{"syncs": 3}`
 * fails the next three, `{"writes": 3}` likewise, `{"readOnly": true}` whatever would change something, and with
 * `{"short": true}` no write takes all that it is given. Nothing else is touched.
 */
import fs from "node:fs"
import { syncBuiltinESMExports } from "node:module"

const { existsSync, readFileSync } = fs
const orders = process.env["FAILING_DISK"] ?? ""
let known = "{}"
let order = JSON.parse(known)

const current = () => {
  const text = existsSync(orders) ? readFileSync(orders, "utf8") : "{}"
  if (text !== known && text !== "") {
    known = text
    order = JSON.parse(text)
  }
  return order
}

const refusal = (code, syscall) => Object.assign(new Error(`${code}: made up, ${syscall}`), { code, syscall })

/** `fails` looks at the arguments, and gives a code or nothing. */
const failing = (name, fails) => {
  const real = fs[name]
  fs[name] = (...args) => {
    const code = fails(...args)
    const done = args.at(-1)
    if (code === undefined || typeof done !== "function") return real(...args)
    process.nextTick(done, refusal(code, name))
  }
}

const whenReadOnly =
  (concerns) =>
  (...args) =>
    current().readOnly && concerns(...args) ? "EROFS" : undefined

failing("fsync", () => {
  if (current().readOnly) return "EIO"
  if (!(order.syncs > 0)) return undefined
  order.syncs--
  return "EIO"
})
const write = fs.write
fs.write = (fd, bytes, offset, length, position, done) => {
  const { length: all } = bytes
  return current().short && all > 1 && typeof done === "function"
    ? write(fd, bytes, offset, Math.ceil(all / 2), position, done)
    : write(fd, bytes, offset, length, position, done)
}
failing("write", () => {
  if (!(current().writes > 0)) return undefined
  order.writes--
  return "EIO"
})
for (const name of ["write", "writeFile", "ftruncate", "truncate", "rename", "link", "unlink"]) {
  failing(
    name,
    whenReadOnly(() => true)
  )
}
failing(
  "open",
  whenReadOnly((_, flags) => flags !== "r" && flags !== fs.constants.O_RDONLY)
)
failing(
  "rm",
  whenReadOnly((path) => existsSync(path))
)
failing(
  "mkdir",
  whenReadOnly((path) => !existsSync(path))
)
syncBuiltinESMExports()
