import { basename } from "node:path"
import { Layer } from "effect"
import { everything } from "../../support/everything.ts"
import * as StateRepositoryTest from "../../ports/StateRepositoryTest.ts"
import { lasting, ownServer, repository } from "./databases.ts"

const url = ownServer()

StateRepositoryTest.suite("postgres", (options) => Layer.suspend(() => repository(url(), options)), {
  runs: everything ? 200 : 15
})

StateRepositoryTest.durableSuite("postgres", {
  open: (directory) => Layer.suspend(() => lasting(url(), basename(directory).toLowerCase()))
})
