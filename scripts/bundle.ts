import { rolldown } from "rolldown"
import { fileURLToPath } from "node:url"

const pathOf = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url))

/**
 * The program in a few files: loading a thousand modules one by one takes a second, and a command of a person at a
 * terminal should take none. What only `venom serve` needs is in files of its own. Gives the code that every command
 * loads, in bytes.
 */
export const bundle = async (directory: string): Promise<number> => {
  const build = await rolldown({
    input: { venom: pathOf("src/main.ts"), threadMain: pathOf("src/adapters/runners/threadMain.ts") },
    platform: "node",
    logLevel: "warn"
  })
  const { output } = await build.write({
    dir: directory,
    format: "esm",
    minify: { compress: false, mangle: false, codegen: true },
    chunkFileNames: "[name]-[hash].js"
  })
  await build.close()
  const chunks = output.filter((file) => file.type === "chunk")
  const loaded = new Set<string>()
  const load = (name: string): void => {
    const chunk = chunks.find(({ fileName }) => fileName === name)
    if (chunk === undefined || loaded.has(name)) return
    loaded.add(name)
    chunk.imports.forEach(load)
  }
  for (const { fileName, name } of chunks) if (name === "venom" || name === "program") load(fileName)
  return chunks
    .filter(({ fileName }) => loaded.has(fileName))
    .reduce((sum, { code }) => sum + Buffer.byteLength(code), 0)
}
