import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { withServer } from "../../support/servers.ts";

test("examples/nats.ts runs against a real server", async (t) => {
  const server = await withServer(t, "nats");
  if (server === undefined) return;
  const path = fileURLToPath(new URL("../../../examples/nats.js", import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [path, `127.0.0.1:${server.port}`]);
  assert.equal(stderr, "");
  assert.deepEqual(
    stdout.trim().split("\n"),
    Array.from({ length: 20 }, (_, i) => `counted ${i + 1}`),
  );
});
