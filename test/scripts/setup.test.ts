import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Checkout } from "./checkout.ts";

test("setup: builds once, again when a source changes or goes, and says so", async (t) => {
  const checkout = await Checkout.make(t);
  const first = await checkout.run("setup.mjs");
  assert.deepEqual([first.status, first.stdout], [0, ""]);
  assert.match(first.stderr, /building dist\//);
  assert.equal((await checkout.run("setup.mjs")).stderr, "");
  assert.deepEqual(await checkout.compiled(), ["tsconfig.build.json"]);
  await checkout.write("src/b.ts", "1");
  await checkout.run("setup.mjs");
  await rm(join(checkout.home, "src/b.ts"));
  await checkout.run("setup.mjs");
  assert.equal((await checkout.compiled()).length, 3);
});

test("setup: what was compiled from a source that is gone is removed", async (t) => {
  const checkout = await Checkout.make(t);
  for (const file of [
    "dist/a.js",
    "dist/a.d.ts",
    "dist/gone.js",
    "dist/gone.d.ts.map",
    "dist/x/gone.js.map",
  ]) {
    await checkout.write(file, "");
  }
  await checkout.run("setup.mjs");
  const left = ["a.js", "a.d.ts", "gone.js", "gone.d.ts.map", "x/gone.js.map"];
  const kept = left.filter((file) => existsSync(join(checkout.home, "dist", file)));
  assert.deepEqual(kept, ["a.js", "a.d.ts"]);
});

test("setup: four at once compile once; a lock of a dead process is taken over", async (t) => {
  const checkout = await Checkout.make(t);
  await checkout.write(".cache/setup.lock", "999999999");
  const ended = await Promise.all([1, 2, 3, 4].map(() => checkout.run("setup.mjs")));
  assert.deepEqual(
    ended.map(({ status }) => status),
    [0, 0, 0, 0],
  );
  assert.deepEqual(await checkout.compiled(), ["tsconfig.build.json"]);
  assert.equal(existsSync(join(checkout.home, ".cache/setup.lock")), false);
});

test("setup: a failed build is told in one line and tried again", async (t) => {
  const checkout = await Checkout.make(t);
  await checkout.write("broken", "");
  for (let i = 0; i < 2; i++) {
    const { status, stderr } = await checkout.run("setup.mjs");
    assert.equal(status, 1);
    assert.match(stderr, /the build of dist\/ failed/);
    assert.doesNotMatch(stderr, /\bat .*\.mjs/);
  }
  assert.equal((await checkout.compiled()).length, 2);
});

test("setup: an old Node.js is refused with the version that is needed", async (t) => {
  const checkout = await Checkout.make(t);
  await checkout.write("package.json", '{ "engines": { "node": ">=99.1" } }');
  const { status, stderr } = await checkout.run("setup.mjs");
  assert.equal(status, 1);
  assert.match(stderr, /Node\.js 99\.1 or newer is needed; this is \d+\.\d+/);
  assert.deepEqual(await checkout.compiled(), []);
});

test("setup: npm ci runs when the lock file and what is installed differ, and only then", async (t) => {
  const checkout = await Checkout.make(t);
  await checkout.write(
    "bin/npm",
    `#!/bin/sh\necho "npm $1" >> compiled\ncp package-lock.json node_modules/.package-lock.json\n`,
  );
  await chmod(join(checkout.home, "bin/npm"), 0o755);
  const lock = (version: string, optional: boolean) =>
    checkout.write(
      "package-lock.json",
      JSON.stringify({
        packages: { "": {}, "node_modules/a": { version }, "node_modules/b": { version, optional } },
      }),
    );
  await lock("1.0.0", true); // b is for another platform
  await checkout.run("setup.mjs");
  assert.deepEqual(await checkout.compiled(), ["tsconfig.build.json"]);
  await lock("2.0.0", false);
  const { stderr } = await checkout.run("setup.mjs");
  assert.match(stderr, /installing the dependencies \(npm ci\)/);
  await checkout.run("setup.mjs");
  assert.deepEqual(await checkout.compiled(), ["tsconfig.build.json", "npm ci", "tsconfig.build.json"]);
});

test("start: passes on arguments, streams and the exit status; keeps --install for itself", async (t) => {
  const checkout = await Checkout.make(t);
  await checkout.write("src/cli/main.ts", "");
  await checkout.write(
    "dist/cli/main.js",
    `console.log(JSON.stringify([process.argv.slice(2), process.env.HOLDFAST_SERVERS ?? ""]));
    process.exitCode = 7;`,
  );
  const plain = await checkout.run("start.mjs", "--seconds", "3");
  assert.deepEqual([plain.status, plain.stdout], [7, '[["demo","--seconds","3"],""]\n']);
  const install = await checkout.run("start.mjs", "--install", "--json");
  assert.equal(install.stdout, '[["demo","--json"],"install"]\n');
});
