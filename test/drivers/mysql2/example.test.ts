import assert from "node:assert/strict";
import { test } from "node:test";
import { exampleThroughRestart } from "../../support/example.ts";
import { withServer } from "../../support/servers.ts";
import { failoverExample } from "../../support/standby.ts";

test("examples/mysql2.ts runs against a real server, and goes on when that is killed and started again", async (t) => {
  const server = await withServer(t, "mariadb");
  if (server === undefined) return;
  const argument = `mysql://holdfast@${server.host}:${server.port}/test`;
  const run = { name: "mysql2", argument, server, works: "hits: 2\n", loss: "lost:" };
  const { stdout, stderr } = await exampleThroughRestart(t, run);
  const counts = [...stdout.matchAll(/^hits: (\d+)$/gm)].map((match) => Number(match[1]));
  // Each write was done, or its fate was told.
  const told = stderr.match(/^(?:not-applied|maybe-applied) /gm)?.length ?? 0;
  assert.ok(counts.length + told >= 20, `${stdout}\n${stderr}`);
  assert.ok((counts.at(-1) as number) >= 20 - told, `${stdout}\n${stderr}`);
});

test("examples/failover-mysql2.ts goes on at the promoted standby", (t) =>
  failoverExample(t, "failover-mysql2", "mariadb"));
