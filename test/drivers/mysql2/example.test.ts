import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { withServer } from "../../support/servers.ts";
import { failoverExample } from "../../support/standby.ts";

test("examples/mysql2.ts runs against a real server", async (t) => {
  const server = await withServer(t, "mariadb");
  if (server === undefined) return;
  const path = fileURLToPath(new URL("../../../examples/mysql2.js", import.meta.url));
  const url = `mysql://holdfast@${server.host}:${server.port}/test`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [path, url]);
  assert.equal(stderr, "");
  assert.deepEqual(
    stdout.trim().split("\n"),
    Array.from({ length: 20 }, (_, i) => `hits: ${i + 1}`),
  );
});

test("examples/failover-mysql2.ts goes on at the promoted standby", (t) =>
  failoverExample(t, "failover-mysql2", "mariadb"));
