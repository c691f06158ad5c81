import { submit, wait } from "./venom.ts"

const [content = "hello", key] = process.argv.slice(2)
const id = await submit(content, key)
console.log(`submitted ${id}`)

const { failure, result, status } = await wait(id)
console.log(status, failure?.message ?? result)
process.exitCode = status === "COMPLETED" ? 0 : 1
