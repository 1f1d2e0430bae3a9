import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { killGroup } from "./command.ts";

/**
 * Outlives this process by a moment: a shell whose standard input is a pipe from here. When the pipe ends, however
 * this process died, it kills the process group that it was told last and removes the directory.
 */
const GUARD_SCRIPT = `
trap '' INT TERM HUP
while read -r line; do group=$line; done
[ -n "$group" ] && kill -s KILL -- "-$group" 2>/dev/null
rm -rf -- "$1" || rm -rf -- "$1"
`;

/** Kills a server and removes its directory when this process ends, in whatever way. */
export class Guard {
  readonly #directory: string;
  readonly #shell: ChildProcess;
  #group: number | undefined;

  constructor(directory: string) {
    this.#directory = directory;
    this.#shell = spawn("/bin/sh", ["-c", GUARD_SCRIPT, "holdfast-guard", directory], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
      cwd: "/",
    });
    this.#shell.on("error", () => {}); // without a shell the exit hook alone remains
    this.#shell.stdin?.on("error", () => {});
    this.#shell.unref();
    (this.#shell.stdin as unknown as { unref?(): void } | null)?.unref?.();
    if (guards.size === 0) process.on("exit", releaseAll);
    guards.add(this);
  }

  /** From now on, this group is the one to kill; `undefined` when nothing runs. */
  watch(group: number | undefined): void {
    this.#group = group;
    this.#shell.stdin?.write(`${group ?? ""}\n`);
  }

  /** Kills what is watched and removes the directory, now. */
  release(): void {
    if (this.#group !== undefined) killGroup(this.#group, "SIGKILL");
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 3 });
    this.#shell.stdin?.end("\n");
    guards.delete(this);
    if (guards.size === 0) process.off("exit", releaseAll);
  }
}

const guards = new Set<Guard>();

function releaseAll(): void {
  for (const guard of guards) guard.release();
}
