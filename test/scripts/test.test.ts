/** `npm test` itself: what it counts, lists and returns. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Checkout, type Ended } from "./checkout.ts";

const head = `import { test } from "node:test";\n`;

function lastLine({ stdout }: Ended): string {
  return stdout.trimEnd().split("\n").at(-1) as string;
}

test("npm test: passes and skips are counted, skips are listed with their reasons", async (t) => {
  const checkout = await Checkout.make(t);
  await checkout.writeTest(
    "a.test",
    `${head}test("one", () => {}); test("two", (t) => t.skip("get it by X"));`,
  );
  await checkout.writeTest(
    "b.test",
    `${head}test("outer", async (t) => { await t.test("inner", () => {}); });`,
  );
  const ended = await checkout.run("test.mjs");
  // Two in b, one in a, and the style.
  assert.equal(lastLine(ended), "4 passed, 0 failed, 1 skipped");
  assert.equal(ended.status, 0);
  assert.match(ended.stdout, /SKIPPED: 1 test .*\n.*test\/a\.test\.ts: two\n\s+get it by X/);
  const kept = JSON.parse(await readFile(join(checkout.home, "build", "test-results.json"), "utf8"));
  assert.deepEqual(kept, [
    { file: "test/a.test.ts", name: "one", result: "passed" },
    { file: "test/a.test.ts", name: "two", result: "skipped", reason: "get it by X" },
    { file: "test/b.test.ts", name: "inner", result: "passed" },
    { file: "test/b.test.ts", name: "outer", result: "passed" },
  ]);
});

test("npm test: each kind of failure is one, with the file, and status 1", async (t) => {
  const checkout = await Checkout.make(t);
  await checkout.writeTest(
    "fails.test",
    `${head}import { describe } from "node:test";
    test("outer", async (t) => { await t.test("inner", () => { throw new Error("broken inside"); }); });
    describe("suite", () => { test("in it", () => { throw new Error("broken there"); }); });`,
  );
  await checkout.writeTest("dies.test", `${head}test("ok", () => {}); test("dies", () => process.exit(7));`);
  await checkout.writeTest("loads-not.test", 'throw new Error("at load");');
  await checkout.writeTest("empty.test", "export {};");
  const ended = await checkout.run("test.mjs");
  assert.equal(ended.status, 1);
  for (const text of [
    "broken inside",
    "broken there",
    "FAILED test/dies",
    "FAILED test/loads-not",
    "no tests",
  ]) {
    assert.ok(ended.stdout.includes(text), `${text} in ${ended.stdout}`);
  }
  assert.match(lastLine(ended), /^\d+ passed, 5 failed, 0 skipped$/);
});

test("npm test: parts of paths choose files; nothing chosen, or all skipped, is a failure", async (t) => {
  const checkout = await Checkout.make(t);
  await checkout.writeTest("x/a.test", `${head}test("one", () => {});`);
  await checkout.writeTest("x/b.test", `${head}test("two", { skip: "why" }, () => {});`);
  const one = await checkout.run("test.mjs", "x/a");
  assert.deepEqual([one.status, lastLine(one)], [0, "1 passed, 0 failed, 0 skipped"]);
  const none = await checkout.run("test.mjs", "nothing");
  assert.deepEqual([none.status, lastLine(none)], [1, "0 passed, 0 failed, 0 skipped"]);
  const skipped = await checkout.run("test.mjs", "x/b");
  assert.deepEqual([skipped.status, lastLine(skipped)], [1, "0 passed, 0 failed, 1 skipped"]);
});

test("npm test: a broken style, a broken build and an unknown option are failures", async (t) => {
  const checkout = await Checkout.make(t);
  await checkout.writeTest("a.test", `${head}test("one", () => {});`);
  await checkout.write("node_modules/@biomejs/biome/bin/biome", "process.exit(1);");
  const style = await checkout.run("test.mjs");
  assert.deepEqual([style.status, lastLine(style)], [1, "1 passed, 1 failed, 0 skipped"]);
  await checkout.write("broken", "");
  await checkout.write("src/new.ts", "");
  const unbuilt = await checkout.run("test.mjs");
  assert.deepEqual([unbuilt.status, lastLine(unbuilt)], [1, "0 passed, 1 failed, 0 skipped"]);
  const unknown = await checkout.run("test.mjs", "--instal");
  assert.deepEqual([unknown.status, lastLine(unknown)], [1, "0 passed, 1 failed, 0 skipped"]);
  assert.match(unknown.stderr, /unknown option --instal; known: --install/);
});
