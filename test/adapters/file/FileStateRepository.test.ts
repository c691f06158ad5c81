import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Effect, FileSystem, Layer } from "effect"
import * as FileStateRepository from "../../../src/adapters/file/FileStateRepository.ts"
import * as StateRepositoryTest from "../../ports/StateRepositoryTest.ts"
import { everything } from "../../support/everything.ts"

StateRepositoryTest.suite(
  "file",
  (options) =>
    Layer.unwrap(
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const directory = yield* fs.makeTempDirectoryScoped({ prefix: "venom-test-" })
        return FileStateRepository.layer({ ...options, directory })
      })
    ).pipe(Layer.provide(NodeFileSystem.layer)),
  { runs: everything ? 200 : 25 }
)

StateRepositoryTest.durableSuite("file", {
  open: (directory) => FileStateRepository.layer({ directory }).pipe(Layer.provide(NodeFileSystem.layer))
})
