import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../time/index.ts";
import type { Launch, Leader, Program, ServerEntry, ServerOptions } from "./entry.ts";
import type { Guard } from "./guard.ts";
import { type Exit, ServerProcess } from "./process.ts";
import { countConnections } from "./sockets.ts";
import { SqlControl } from "./sql-control.ts";
import { Fatal, until } from "./until.ts";

/** A server that asks for a graceful stop and does not get it is killed after this. */
const STOP_DEADLINE_MS = 5_000;
/** One that is only asked to end at once and does not is killed after this. */
const DISPOSE_DEADLINE_MS = 1_000;

/** What one server does as leader or follower. */
export interface BoundReplication {
  /** It acknowledges a write only once its follower has it; or, again, without waiting. */
  synchronous(on: boolean): Promise<void>;
  /** How far its log of changes goes, in its own words. */
  end(): Promise<string>;
  /** True when it receives from this leader and has applied everything up to there. */
  reached(end: string, leader: RunningServer): Promise<boolean>;
  /** It applies what it has received, follows nobody any more, and takes writes. */
  promote(): Promise<void>;
  /** Its data is given up for the leader's; it runs as a read-only follower afterwards. */
  follow(leader: RunningServer): Promise<void>;
}

/** A real server on a loopback port of its own. Disposing it kills it and removes its directory. */
export class RunningServer {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly #entry: ServerEntry;
  readonly #program: Program;
  #launch: Launch;
  readonly #guard: Guard;
  #process: ServerProcess | undefined;
  #version = "unknown";

  constructor(entry: ServerEntry, program: Program, launch: Launch, guard: Guard) {
    this.name = entry.name;
    this.host = launch.host;
    this.port = launch.port;
    this.#entry = entry;
    this.#program = program;
    this.#launch = launch;
    this.#guard = guard;
  }

  /** What a client connects to, with the password where there is one. */
  get url(): string {
    return this.#entry.url(this.#launch);
  }

  /** The server's own directory: configuration, data, log, Unix socket. */
  get directory(): string {
    return this.#launch.directory;
  }

  get password(): string | undefined {
    return this.#launch.options.password;
  }

  /** The process id of the present run, or of the last one. */
  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get running(): boolean {
    return this.#process !== undefined && this.#process.exit === undefined;
  }

  get version(): string {
    return this.#version;
  }

  /** Where the program was found: on PATH or in the project's cache. */
  get from(): Program["from"] {
    return this.#program.from;
  }

  /** Passwords, sessions, read-only mode: what an administrator does to it. Throws where it does not speak SQL. */
  get sql(): SqlControl {
    if (this.#entry.sql === undefined) throw new Error(`${this.name} does not speak SQL`);
    return new SqlControl(this.#entry.sql, this.#launch);
  }

  /** How it leads and follows. Throws where the lab can't make it. */
  get replication(): BoundReplication {
    const { replication } = this.#entry;
    if (replication === undefined) throw new Error(`the lab knows no replication of ${this.name}`);
    return {
      synchronous: (on) => replication.synchronous(this.#launch, on),
      end: () => replication.end(this.#launch),
      reached: (end, leader) => replication.reached(this.#launch, leader.#launch, end),
      promote: async () => {
        await replication.promote(this.#launch);
        this.#follow(undefined);
      },
      follow: async (leader) => {
        await this.stop();
        await replication.forget(this.#launch);
        this.#follow(leader);
        await this.start();
      },
    };
  }

  #follow(leader: Leader | undefined): void {
    const { replicaOf: _before, ...options } = this.#launch.options;
    this.#launch = {
      ...this.#launch,
      options: leader === undefined ? options : { ...options, replicaOf: leader },
    };
  }

  /** What the server wrote, over all its runs. */
  logs(): Promise<string> {
    return readFile(this.#logFile, "utf8");
  }

  /** Connections that the server's side still holds, from the kernel's table (Linux). */
  connectionCount(): Promise<number> {
    return countConnections(this.port);
  }

  /** Starts it again on the same port with the same data, after a stop if it runs. Resolves when it serves. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Starts a server that doesn't run. Resolves when it serves. */
  async start(): Promise<void> {
    if (this.running) return;
    await this.#entry.configure(this.#launch, this.#program);
    const running = await ServerProcess.start({
      file: this.#program.file,
      args: [...this.#program.leadingArgs, ...this.#entry.args(this.#launch, this.#program)],
      env: this.#program.env,
      directory: this.#launch.directory,
      logFile: this.#logFile,
      identity: await this.#entry.identity?.(),
      childrenApart: this.#entry.childrenApart ?? false,
    });
    this.#process = running;
    this.#guard.watch(running.pid);
    // Once it is gone, also by its own doing, its number may become another process's.
    void running.exited.then(() => {
      if (this.#process === running) this.#guard.watch(undefined);
    });
    const { version } = await until(`start of ${this.name}`, this.#entry.readyDeadlineMs, async () => {
      if (running.exit !== undefined) throw new Fatal(await this.#startFailure(running.exit));
      return this.#entry.ready(this.#launch, running.pid);
    });
    this.#version = version;
  }

  /** kill -9, and waits until the process is gone. The data stays for `restart`. */
  async kill9(): Promise<Exit | undefined> {
    return this.#end("SIGKILL");
  }

  /** A graceful stop; killed at a deadline. The data stays for `restart`. */
  async stop(): Promise<Exit | undefined> {
    const hard = systemClock.setTimer(STOP_DEADLINE_MS, () => this.#process?.signal("SIGKILL"));
    try {
      return await this.#end(this.#entry.stopSignal ?? "SIGTERM");
    } finally {
      hard.cancel();
    }
  }

  /** Freezes it: connections stay, the kernel goes on accepting, nobody answers. */
  async pause(): Promise<void> {
    this.#process?.signal("SIGSTOP");
    await this.#process?.waitUntilStopped(true);
  }

  /** Lets a frozen server go on. */
  async resume(): Promise<void> {
    this.#process?.signal("SIGCONT");
    await this.#process?.waitUntilStopped(false);
  }

  /** Sends a signal that means something to this server, such as nats-server's SIGUSR2 (lame duck). */
  signal(signal: NodeJS.Signals): void {
    this.#process?.signal(signal);
  }

  /** Changes settings while it runs and for all its later starts. Resolves when they are in force. */
  async reload(change: ServerOptions): Promise<void> {
    const { reload } = this.#entry;
    if (reload === undefined) throw new Error(`${this.name} can't read its configuration anew while it runs`);
    this.#launch = { ...this.#launch, options: { ...this.#launch.options, ...change } };
    await this.#entry.configure(this.#launch, this.#program);
    const before = (await this.logs()).length;
    this.signal(reload.signal);
    await until(`reload of ${this.name}`, 5_000, async () =>
      reload.says.test((await this.logs()).slice(before)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const hard = systemClock.setTimer(DISPOSE_DEADLINE_MS, () => this.#process?.signal("SIGKILL"));
    await this.#end(this.#entry.disposeSignal ?? "SIGKILL");
    hard.cancel();
    this.#guard.release();
  }

  async #end(signal: NodeJS.Signals): Promise<Exit | undefined> {
    const running = this.#process;
    if (running === undefined) return undefined;
    running.signal(signal);
    running.signal("SIGCONT"); // a frozen process would never see a SIGTERM
    return running.waitForExit();
  }

  async #startFailure(exit: Exit): Promise<Error> {
    const tail = (await this.logs()).trimEnd().split("\n").slice(-5).join("\n");
    return new Error(`${this.name} ended while starting (${exit.signal ?? `status ${exit.code}`}):\n${tail}`);
  }

  get #logFile(): string {
    return join(this.#launch.directory, "server.log");
  }
}
