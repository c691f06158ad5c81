import { rowOf } from "./restart.ts"

export const row = rowOf("restart-after-kill", "Restart after kill -9", "by force")
