import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { withServer } from "../../support/servers.ts";
import { until } from "../../support/until.ts";

test("examples/nats.ts runs against a real server, and goes on when that is killed and started again", async (t) => {
  const server = await withServer(t, "nats");
  if (server === undefined) return;
  const path = fileURLToPath(new URL("../../../examples/nats.js", import.meta.url));
  const child = spawn(process.execPath, [path, `127.0.0.1:${server.port}`]);
  t.after(() => child.kill("SIGKILL"));
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      said[stream] += text;
    });
  const ended = new Promise((resolve) => child.on("close", resolve));
  await until("the first answers", 20_000, () => said.stdout.includes("counted 2\n"));
  await server.kill9();
  await until("the loss", 10_000, () => said.stderr.includes("lost:"));
  await server.restart();
  assert.equal(await ended, 0, said.stderr);
  assert.match(said.stderr, /^back after \d+ ms$/m);
  assert.ok(said.stdout.endsWith("counted 20\n"), said.stdout);
});
