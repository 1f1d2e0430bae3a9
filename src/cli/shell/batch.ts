/** Statements from a pipe, a file or `--execute`: one after the other, to the end or to the first that fails. */
import type { Executor } from "./executor.ts";
import { Splitter } from "./splitter.ts";

export interface BatchOptions {
  /** Go on after a statement that failed. */
  readonly force: boolean;
  readonly dialect: "mysql" | "postgres";
}

/** @returns the exit status: 0, or 1 when a statement failed */
export async function runBatch(
  lines: AsyncIterable<string> | Iterable<string>,
  executor: Executor,
  options: BatchOptions,
): Promise<number> {
  const splitter = new Splitter(options.dialect);
  let failed = false;
  const runAll = async (statements: readonly { text: string; upright: boolean }[]): Promise<boolean> => {
    for (const { text, upright } of statements) {
      if (await executor.run(text, upright ? "upright" : undefined)) continue;
      failed = true;
      if (!options.force) return false;
    }
    return true;
  };
  for await (const line of lines) if (!(await runAll(splitter.push(line)))) return 1;
  await runAll(splitter.end());
  return failed ? 1 : 0;
}
