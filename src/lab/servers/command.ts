import { spawn } from "node:child_process";
import { systemClock } from "../../time/index.ts";
import type { Identity } from "./identity.ts";

export interface CommandResult {
  /** The exit status; `undefined` when the program could not be started or was stopped at the deadline. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Why there is no exit status. */
  readonly problem: string | undefined;
}

export interface CommandOptions {
  readonly deadlineMs: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads on its standard input; default: nothing. */
  readonly input?: string;
  readonly identity?: Identity | undefined;
  /** Called for each whole line of standard output. */
  readonly onLine?: (line: string) => void;
}

/** Runs a program to its end, or kills it (with its children) at the deadline. Never rejects. */
export function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    let stdout = "";
    let stderr = "";
    let problem: string | undefined;
    let lineStart = 0;
    // Its own process group, so that the deadline also ends what the program started.
    const child = spawn(file, args, {
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
      env: { ...process.env, ...options.env },
      ...options.identity,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const timer = systemClock.setTimer(options.deadlineMs, () => {
      problem = `no end within ${options.deadlineMs / 1000} s`;
      if (child.pid !== undefined) killGroup(child.pid, "SIGKILL");
    });
    child.stdin.on("error", () => {}); // it may end without reading
    child.stdin.end(options.input);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      for (let end = stdout.indexOf("\n", lineStart); end >= 0; end = stdout.indexOf("\n", lineStart)) {
        options.onLine?.(stdout.slice(lineStart, end));
        lineStart = end + 1;
      }
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const finish = (status: number | undefined): void => {
      timer.cancel();
      resolve({ status, stdout, stderr, problem });
    };
    child.on("error", (error) => {
      problem = error.message;
      finish(undefined);
    });
    child.on("close", (code) => finish(problem === undefined ? (code ?? undefined) : undefined));
  });
}

/** Signals a process group; false when it is gone. */
export function killGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Why a command failed, in one line: what it said last on its error output, or why it could not end. */
export function whyFailed(result: CommandResult): string {
  if (result.problem !== undefined) return result.problem;
  const lines = result.stderr.split("\n").filter((line) => line.trim() !== "");
  // apt-get marks its errors; an update that reached no mirror has warnings only, and exit status 0.
  const telling = lines.filter((line) => /^(E:|W: Failed)/.test(line));
  return (telling.length > 0 ? telling : lines).slice(-2).join(" ") || `exit status ${result.status}`;
}
