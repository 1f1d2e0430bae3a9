import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { childrenOf, isAlive, stateOf } from "./children.ts";
import { killGroup } from "./command.ts";
import type { Identity } from "./identity.ts";
import { until } from "./until.ts";

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface SpawnOptions {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly logFile: string;
  /** Run it as this user. */
  readonly identity?: Identity | undefined;
  /** Its children leave its process group (PostgreSQL's do): signals go to them one by one. */
  readonly childrenApart?: boolean;
}

/** What no process can pass on to its children. */
const notPassedOn: ReadonlySet<NodeJS.Signals> = new Set(["SIGKILL", "SIGSTOP", "SIGCONT"]);

/**
 * One run of a server program, in a process group of its own: a Ctrl-C meant for the tests does not reach it, and
 * a kill reaches what it started.
 */
export class ServerProcess {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  #exit: Exit | undefined;
  readonly #child: ChildProcess;
  readonly #childrenApart: boolean;
  /** Children apart that a SIGKILL was meant for too. */
  #orphans: readonly number[] = [];

  private constructor(child: ChildProcess, pid: number, childrenApart: boolean) {
    this.#child = child;
    this.pid = pid;
    this.#childrenApart = childrenApart;
    this.exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
    // A forgotten server must not keep the process from ending; `waitForExit` holds it while someone waits.
    child.unref();
  }

  /** Starts a program. Its output goes to a file, so that neither side ever waits for the other's pipe. */
  static start(options: SpawnOptions): Promise<ServerProcess> {
    const log = openSync(options.logFile, "a");
    const child = spawn(options.file, options.args, {
      cwd: options.directory,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", log, log],
      detached: true,
      ...options.identity,
    });
    closeSync(log);
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("spawn", () =>
        resolve(new ServerProcess(child, child.pid as number, options.childrenApart ?? false)),
      );
    });
  }

  get exit(): Exit | undefined {
    return this.#exit;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#exit !== undefined) return;
    const apart = this.#childrenApart && notPassedOn.has(signal) ? childrenOf(this.pid) : [];
    killGroup(this.pid, signal);
    for (const pid of apart) killGroup(pid, signal);
    if (signal === "SIGKILL") this.#orphans = apart;
  }

  async waitForExit(): Promise<Exit> {
    this.#child.ref();
    const exit = await this.exited;
    killGroup(this.pid, "SIGKILL"); // what it left behind in its group
    await until(`end of the children of process ${this.pid}`, 2_000, () => !this.#orphans.some(isAlive));
    return exit;
  }

  /** Waits until the kernel shows the process stopped (or running again): a signal only starts that. */
  async waitUntilStopped(stopped: boolean): Promise<void> {
    await until(`${stopped ? "pause" : "resume"} of process ${this.pid}`, 2_000, async () => {
      if (this.#exit !== undefined || process.platform !== "linux") return true;
      const all = [this.pid, ...(this.#childrenApart ? childrenOf(this.pid) : [])];
      return all.every((pid) => (stateOf(pid) === "T") === stopped);
    });
  }
}
