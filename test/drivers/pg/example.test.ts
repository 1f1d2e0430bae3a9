import assert from "node:assert/strict";
import { test } from "node:test";
import { exampleThroughRestart } from "../../support/example.ts";
import { withServer } from "../../support/servers.ts";
import { failoverExample } from "../../support/standby.ts";

test("examples/pg.ts runs against a real server, and goes on when that is killed and started again", async (t) => {
  const server = await withServer(t, "postgres");
  if (server === undefined) return;
  const argument = server.url;
  const run = { name: "pg", argument, server, works: "hits: 2\n", loss: "no connection:" };
  const { stdout, stderr } = await exampleThroughRestart(t, run);
  const counts = [...stdout.matchAll(/^hits: (\d+)$/gm)].map((match) => Number(match[1]));
  // Each write was done, or its fate was told.
  const told = stderr.match(/^(?:not-applied|maybe-applied) /gm)?.length ?? 0;
  assert.ok(counts.length + told >= 20, `${stdout}\n${stderr}`);
  assert.ok((counts.at(-1) as number) >= 20 - told, `${stdout}\n${stderr}`);
});

test("examples/failover-pg.ts goes on at the promoted standby", (t) =>
  failoverExample(t, "failover-pg", "postgres"));
