/** An example as its reader runs it: the server is killed and started again meanwhile. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { RunningServer } from "../../src/lab/index.ts";
import { until } from "./until.ts";

export interface ExampleRun {
  /** Its name under examples/. */
  readonly name: string;
  readonly argument: string;
  readonly server: RunningServer;
  /** Said before the server is killed. */
  readonly works: string;
  /** Said on stderr once the loss was noticed; the server is started again then. */
  readonly loss: string;
}

/** Resolves with what it said when it ended by itself, with exit status 0. */
export async function exampleThroughRestart(
  t: TestContext,
  { name, argument, server, works, loss }: ExampleRun,
): Promise<{ stdout: string; stderr: string }> {
  const path = fileURLToPath(new URL(`../../examples/${name}.js`, import.meta.url));
  const child = spawn(process.execPath, [path, argument]);
  t.after(() => child.kill("SIGKILL"));
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      said[stream] += text;
    });
  const ended = new Promise((resolve) => child.on("close", resolve));
  await until("the first answers", 20_000, () => said.stdout.includes(works));
  await server.kill9();
  await until("the loss", 20_000, () => said.stderr.includes(loss));
  await server.restart();
  assert.equal(await ended, 0, said.stderr);
  return said;
}
