import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { presets, timeline } from "../../src/backoff/index.ts";
import { seededRandom } from "../../src/time/index.ts";

const main = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

function holdfast(...args: string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
  return { status, out: stdout, err: stderr };
}

test("plan prints each delay, when it ends, and a bar", () => {
  const { status, out } = holdfast("plan", "libhv-exponential", "--attempts", "8");
  assert.equal(status, 0);
  const rows = out.split("\n").filter((line) => /^\s+\d/.test(line));
  assert.deepEqual(
    rows.map((row) =>
      row
        .trim()
        .split(/\s{2,}/)
        .slice(0, 3),
    ),
    [
      ["1", "1 s", "1 s"],
      ["2", "2 s", "3 s"],
      ["3", "4 s", "7 s"],
      ["4", "8 s", "15 s"],
      ["5", "16 s", "31 s"],
      ["6", "32 s", "63 s"],
      ["7", "60 s", "2.05 min"],
      ["8", "60 s", "3.05 min"],
    ],
  );
  const blocks = rows.map((row) => row.split("█").length - 1);
  assert.deepEqual(
    blocks,
    blocks.toSorted((a, b) => a - b),
  );
  assert.ok(blocks[7]! > 30 && Math.abs(blocks[5]! / blocks[7]! - 32 / 60) < 0.05);
  assert.match(
    out,
    /warning: all clients wait exactly 1 s before attempt 1: those that lose the server together come back/,
  );
});

test("plan says why it ends, what is defective, and what a fleet would do", () => {
  assert.match(holdfast("plan", "graphql-ws").out, /then: gave up after 5 attempts/);
  const { out } = holdfast("plan", "socket.io", "--seed", "1");
  assert.match(out, /defect {5}sign and size come from one draw/);
  assert.match(out, /corrected {2}holdfast plan socket\.io-corrected/);
  assert.match(
    holdfast("plan", "go-redis", "--seed", "1").out,
    /warning: delay 16 ms: below 50 ms a fleet can saturate/,
  );
});

test("a seed repeats the delays; without one, the seed that was used is shown", () => {
  const once = holdfast("plan", "grpc-js", "--seed", "7");
  assert.equal(holdfast("plan", "grpc-js", "--seed", "7").out, once.out);
  assert.notEqual(holdfast("plan", "grpc-js", "--seed", "8").out, once.out);
  const free = holdfast("plan", "grpc-js").out;
  const seed = /draws {6}seed (\d+)/.exec(free)?.[1];
  assert.ok(seed);
  assert.equal(holdfast("plan", "grpc-js", "--seed", seed).out, free);
});

test("--json is one object whose numbers are the schedule's", () => {
  const { status, out } = holdfast("plan", "holdfast", "--json", "--seed", "3", "--attempts", "20");
  assert.equal(status, 0);
  const report = JSON.parse(out);
  const expected = timeline(presets.holdfast!.backoff, 20, seededRandom(3)).attempts;
  assert.deepEqual(
    report.attempts,
    expected.map((planned) => ({ ...planned, attempt: planned.attempt + 1 })),
  );
  assert.equal(report.seed, 3);
  assert.equal(report.exhausted, null);
  assert.deepEqual(report.hazards, []);
});

test("--no-jitter draws the middle, so the plan is the same every time", () => {
  const report = JSON.parse(holdfast("plan", "grpc", "--no-jitter", "--json", "-n", "3").out);
  assert.deepEqual(
    report.attempts.map((planned: { delayMs: number }) => planned.delayMs),
    [1000, 1600, 2560],
  );
  assert.equal(report.seed, null);
});

test("--list names every preset, also as JSON", () => {
  const text = holdfast("plan", "--list").out;
  for (const name of Object.keys(presets)) assert.ok(text.includes(`${name} `), name);
  const data = JSON.parse(holdfast("plan", "--list", "--json").out) as { name: string }[];
  assert.deepEqual(
    data.map((preset) => preset.name),
    Object.keys(presets),
  );
});

test("an unknown preset: the nearest one, status 2, nothing on stdout", () => {
  const { status, out, err } = holdfast("plan", "nats-go");
  assert.equal(status, 2);
  assert.equal(out, "");
  assert.match(
    err,
    /^error: no backoff preset "nats-go" \(did you mean "nats\.go"\?\); holdfast plan --list names all/,
  );
});

test("wrong use is told with what is allowed, status 2", () => {
  const told = (args: readonly string[], message: RegExp): void => {
    const { status, err } = holdfast(...args);
    assert.equal(status, 2, args.join(" "));
    assert.match(err, message);
  };
  told(["plan"], /name a preset, or use --list/);
  told(["plan", "mqtt", "--attempts", "0"], /'0' is invalid.* It must be a whole number from 1 to 10000/);
  told(["plan", "mqtt", "--attempts", "many"], /'many' is invalid/);
  told(["plan", "mqtt", "--seed", "1.5"], /'1\.5' is invalid.* from 0 to 2147483647/);
  told(["plan", "mqtt", "--atempts", "3"], /unknown option '--atempts'\s+\(Did you mean --attempts\?\)/);
  told(["pln"], /unknown command 'pln'\s+\(Did you mean plan\?\)/);
});

test("help tells options and examples, status 0", () => {
  const { status, out } = holdfast("plan", "--help");
  assert.equal(status, 0);
  for (const word of ["--attempts", "--no-jitter", "--seed", "--json", "--list", "Examples:"]) {
    assert.ok(out.includes(word), word);
  }
  assert.match(holdfast("--help").out, /plan .*show the reconnect delays/);
  assert.match(holdfast("--version").out, /^\d+\.\d+\.\d+\n$/);
});
