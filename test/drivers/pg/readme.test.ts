/** The example of README.md, run as it stands there: only the address is put in. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Pool } from "../../../src/drivers/pg/index.ts";
import { withServer } from "../../support/servers.ts";

const page = readFileSync(new URL("../../../../README.md", import.meta.url), "utf8");
const examples = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)]
  .map(([, code = ""]) => code)
  .filter((code) => code.includes('"holdfast/pg"'));

test("README.md: the example of holdfast/pg counts, inserts in a transaction, and ends", async (t) => {
  const server = await withServer(t, "postgres");
  if (server === undefined) return;
  const [code = ""] = examples;
  assert.equal(examples.length, 1);
  const shown = "postgres://localhost/postgres";
  assert.ok(code.includes(shown));
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (
    ...text: string[]
  ) => (pool: typeof Pool) => Promise<{ n: number }[]>;
  const body = code.replace(/^import .*$/gm, "").replace(shown, server.url);
  const run = new AsyncFunction("Pool", `${body}\nreturn rows;`);
  assert.deepEqual(await run(Pool), [{ n: 0 }]);
  assert.deepEqual(await run(Pool), [{ n: 1 }]);
});
