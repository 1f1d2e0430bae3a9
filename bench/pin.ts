/** A client and a server on cores of their own: where the scheduler puts a server's process weighs more than any client. */
import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Keeps our main thread on the first core, and a server (its threads, and the processes it makes from now on) on the
 * second, with `taskset` where there is one. Resolves with what was done, for the report.
 */
export async function pinServer(pid: number): Promise<string> {
  const apart = "the client's thread on one core, the server on another";
  try {
    if (availableParallelism() < 2) throw new Error("one core");
    await run("taskset", ["-acp", "1", String(pid)]);
    await run("taskset", ["-cp", "0", String(process.pid)]);
    return apart;
  } catch {
    return "client and server wherever the scheduler puts them";
  }
}

/** Our main thread may run on every core again. */
export async function unpin(): Promise<void> {
  await run("taskset", ["-cp", `0-${availableParallelism() - 1}`, String(process.pid)]).catch(() => {});
}
