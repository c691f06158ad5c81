#!/usr/bin/env node
import { enableCompileCache } from "node:module"
import * as Signals from "./host/Signals.ts"

Signals.listen()
enableCompileCache()
await import("./program.ts")
