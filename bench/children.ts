/** Processes of a bench: what is not measured runs in one of its own. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

export function startChild(file: string, ...args: string[]): ChildProcess {
  return fork(new URL(file, import.meta.url), args, {
    execArgv: ["--expose-gc"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

/** The first message of a child. */
export async function message<T>(child: ChildProcess): Promise<T> {
  const [first] = await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => {
      throw new Error(`a process of the bench ended with status ${code}`);
    }),
  ]);
  return first as T;
}
