import { Clock, Context, Effect, Exit, FileSystem, Layer, Logger, type Option, Random } from "effect"
import * as Deferred from "effect/Deferred"
import { SecureRandom } from "effect/crypto"
import * as FileStateRepository from "../../src/adapters/file/FileStateRepository.ts"
import * as Lock from "../../src/adapters/file/Lock.ts"
import * as Room from "../../src/adapters/file/Room.ts"
import type { VenomTask } from "../../src/domain/Task.ts"
import { Dispatcher } from "../../src/engine/Dispatcher.ts"
import * as Engine from "../../src/engine/Engine.ts"
import { EngineSettings } from "../../src/engine/EngineSettings.ts"
import { Orchestrator } from "../../src/engine/Orchestrator.ts"
import * as Shutdown from "../../src/engine/Shutdown.ts"
import type { Entry } from "../../src/ports/Entry.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import type { TaskRunner } from "../../src/ports/TaskRunner.ts"
import type { Chance } from "./Chance.ts"
import type { World } from "./World.ts"

export interface LifeOptions {
  readonly world: World
  readonly chance: Chance
  readonly disk: FileSystem.FileSystem
  /** What the disk says of its room; none from one that does not tell. */
  readonly space: () => Effect.Effect<Option.Option<Room.Space>>
  readonly files: FileStateRepository.FileOptions
  readonly settings: EngineSettings
  readonly runner: Layer.Layer<TaskRunner>
  /** Log lines that matter: level and text. */
  readonly said: (level: string, text: string) => void
  /** The repository is open; the engine has not begun. */
  readonly opened: (tasks: ReadonlyArray<VenomTask>) => void
  /** The engine runs. */
  readonly started: (tasks: ReadonlyArray<VenomTask>) => void
  /** Something may have become visible. */
  readonly observe: (life: Life) => void
}

/** One process of Venom, from its start to its end. */
export class Life {
  readonly #options: LifeOptions
  readonly #context: Context.Context<SecureRandom.SecureRandom | FileSystem.FileSystem>
  readonly #stop = Deferred.makeUnsafe<void>()
  #repository: StateRepository["Service"] | undefined
  #orchestrator: Orchestrator["Service"] | undefined
  #dispatcher: Dispatcher["Service"] | undefined
  /** Told to stop. */
  isStopping = false
  /** Ended by force. */
  isDead = false
  /** How the process ended by itself. */
  exit: Exit.Exit<unknown, unknown> | undefined

  constructor(options: LifeOptions) {
    this.#options = options
    const { chance, disk, said, settings, world } = options
    const logger = Logger.make<unknown, void>(({ cause, logLevel, message }) => {
      const parts = Array.isArray(message) ? message : [message]
      const reasons = cause.reasons.map((reason) =>
        reason._tag === "Die" ? `died: ${String(reason.defect)}` : reason._tag
      )
      said(logLevel, [...parts, ...reasons].map(String).join(" "))
    })
    this.#context = Context.empty().pipe(
      Context.add(
        SecureRandom.SecureRandom,
        SecureRandom.make((size) => chance.bytes(size))
      ),
      Context.add(FileSystem.FileSystem, disk),
      Context.merge(
        Context.empty().pipe(
          Context.add(Clock.Clock, world.clock),
          Context.add(Random.Random, {
            nextDoubleUnsafe: () => chance.next(),
            nextIntUnsafe: () => chance.between(Number.MIN_SAFE_INTEGER / 2, Number.MAX_SAFE_INTEGER / 2)
          }),
          Context.add(EngineSettings, settings),
          // one process at a time is given here
          Context.add(Lock.Lock, () => Effect.void),
          Context.add(Room.AskSpace, options.space),
          Context.add(Logger.CurrentLoggers, new Set([logger]))
        )
      )
    )
  }

  start(): void {
    this.run(Effect.scoped(this.#main()), (exit) => {
      this.exit = exit
    })
  }

  #main() {
    const { files, opened, runner, started } = this.#options
    const stop = this.#stop
    const setRepository = (repository: StateRepository["Service"]) => {
      this.#repository = repository
      opened(this.tasks)
    }
    const setEngine = (engine: Context.Context<Orchestrator | Dispatcher>) => {
      this.#dispatcher = Context.get(engine, Dispatcher)
      this.#orchestrator = Context.get(engine, Orchestrator)
      started(this.tasks)
    }
    return Effect.gen(function* () {
      const storage = yield* Layer.build(FileStateRepository.layer(files))
      setRepository(Context.get(storage, StateRepository))
      const engine = yield* Layer.build(
        Shutdown.layer.pipe(
          Layer.provideMerge(Engine.layer),
          Layer.provide(runner),
          Layer.provide(Layer.succeedContext(storage))
        )
      )
      setEngine(engine)
      yield* Deferred.await(stop)
    })
  }

  /** Runs in this process; what dies in it stays unfinished when the process is gone. */
  run<A, E>(
    effect: Effect.Effect<A, E, SecureRandom.SecureRandom | FileSystem.FileSystem>,
    ended: (exit: Exit.Exit<A, E>) => void
  ): () => void {
    const fiber = Effect.runForkWith(this.#context)(effect, { scheduler: this.#options.world.scheduler })
    fiber.addObserver(ended)
    return () => fiber.interruptUnsafe()
  }

  /** The engine is up, was not told to stop and has not ended. */
  get isRunning(): boolean {
    return this.#orchestrator !== undefined && !this.isStopping && this.exit === undefined && !this.isDead
  }

  observe(): void {
    this.#options.observe(this)
  }

  get repository(): StateRepository["Service"] | undefined {
    return this.#repository
  }

  /** The use cases, while the engine runs. */
  get orchestrator(): Orchestrator["Service"] | undefined {
    return this.#orchestrator
  }

  /** Whether another attempt may run. */
  get hasFreeSlot(): boolean {
    return (
      this.#dispatcher !== undefined && Effect.runSync(this.#dispatcher.running) < this.#options.settings.concurrency
    )
  }

  /** All that is visible now. */
  get tasks(): ReadonlyArray<VenomTask> {
    return this.#repository === undefined
      ? []
      : Effect.runSync(this.#repository.page({}, { limit: Number.MAX_SAFE_INTEGER })).tasks
  }

  get entries(): ReadonlyArray<Entry> {
    return this.#repository === undefined ? [] : Effect.runSync(this.#repository.entries(""))
  }

  get counts() {
    return this.#repository === undefined ? undefined : Effect.runSync(this.#repository.counts)
  }

  /** Whether anything is visible yet. */
  get isOpen(): boolean {
    return this.#repository !== undefined
  }

  get isWritable(): boolean {
    return this.#repository !== undefined && Effect.runSync(this.#repository.health)._tag === "Writable"
  }

  /** Begins an orderly stop. */
  stop(): void {
    this.isStopping = true
    Deferred.doneUnsafe(this.#stop, Exit.void)
  }
}
