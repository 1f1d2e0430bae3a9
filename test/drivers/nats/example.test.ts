import assert from "node:assert/strict";
import { test } from "node:test";
import { exampleThroughRestart } from "../../support/example.ts";
import { withServer } from "../../support/servers.ts";

test("examples/nats.ts runs against a real server, and goes on when that is killed and started again", async (t) => {
  const server = await withServer(t, "nats");
  if (server === undefined) return;
  const argument = `127.0.0.1:${server.port}`;
  const run = { name: "nats", argument, server, works: "counted 2\n", loss: "lost:" };
  const { stdout, stderr } = await exampleThroughRestart(t, run);
  assert.match(stderr, /^back after \d+ ms$/m);
  assert.ok(stdout.endsWith("counted 20\n"), stdout);
});
