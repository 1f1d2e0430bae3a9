import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { presets } from "../../src/backoff/index.ts";
import { HoldfastError } from "../../src/call/index.ts";
import { plainAudience } from "../../src/cli/demo/audience.ts";
import type { DemoKind, DemoLink } from "../../src/cli/demo/link.ts";
import { mysql2 } from "../../src/cli/demo/mysql2.ts";
import { nats } from "../../src/cli/demo/nats.ts";
import { pg } from "../../src/cli/demo/pg.ts";
import { redis } from "../../src/cli/demo/redis.ts";
import { reportOf } from "../../src/cli/demo/report.ts";
import { runDemo } from "../../src/cli/demo/run.ts";
import { tcp } from "../../src/cli/demo/tcp.ts";
import { ServerUnavailable } from "../../src/lab/index.ts";
import { systemClock } from "../../src/time/index.ts";
import { checkLeaks } from "../support/leaks.ts";

const main = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

interface Run {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the command; `watch` hears the output as it grows and may signal. */
function holdfast(
  args: readonly string[],
  watch?: (text: string, kill: (s: NodeJS.Signals) => void) => void,
) {
  return new Promise<Run>((resolve, reject) => {
    const child = spawn(process.execPath, [main, "demo", ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let err = "";
    const heard = (): void => watch?.(out + err, (signal) => child.kill(signal));
    child.stdout.on("data", (chunk) => {
      out += chunk;
      heard();
    });
    child.stderr.on("data", (chunk) => {
      err += chunk;
      heard();
    });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, out, err }));
  });
}

test("demo --json: the TCP link comes through the storm, every zero is zero, the last line says so", async () => {
  const { status, out, err } = await holdfast(["--seconds", "6", "--seed", "5", "--links", "tcp", "--json"]);
  assert.equal(status, 0, err + out);
  assert.equal(out.trim().split("\n").length, 1, "nothing but the object on standard output");
  const report = JSON.parse(out);
  assert.equal(report.ok, true);
  assert.equal(report.seed, 5);
  const [link] = report.links;
  assert.equal(link.driver, "tcp");
  assert.equal(link.server, "embedded TCP service");
  assert.ok(link.sent > 500, `${link.sent} sent`);
  assert.ok(link.acknowledged > 200, `${link.acknowledged} acknowledged`);
  assert.equal(link.sent, link.acknowledged + link.unknown + link.notApplied);
  assert.deepEqual([link.lost, link.duplicated, link.falselyNotApplied, link.unsettled], [0, 0, 0, 0]);
  // A fault that comes while the link is still down is not a loss of its own.
  assert.ok(link.episodes >= 3, `${link.episodes} episodes`);
  assert.equal(link.restored, link.episodes);
  assert.ok(link.dials >= link.episodes + 1);
  assert.ok(link.recoveryMsP50 >= 0 && link.recoveryMsMax >= link.recoveryMsP50);
  for (const told of [
    /storm +server killed \(kill -9\), restarted/,
    /tcp +lost: /,
    /tcp +reconnected after /,
  ])
    assert.match(err, told);
});

test("demo --faults none: no loss, nothing unknown; plain lines and a table where there is no terminal", async () => {
  const { status, out } = await holdfast(["--seconds", "2", "--faults", "none", "--links", "tcp"]);
  assert.equal(status, 0, out);
  assert.match(out, /^holdfast demo: 2 s, no faults, seed \d+\n/);
  assert.doesNotMatch(out, /storm|lost: /);
  assert.ok(!out.includes("\u001b"), "no escape sequence");
  const row = /^tcp +([\d,]+) +([\d,]+) +0 +0 +0 +0 +0 of 0 +1 +- +-$/m.exec(out);
  assert.ok(row, out);
  assert.equal(row[1], row[2]);
  assert.match(out, /\nOK {2}\d+ acknowledged writes: none lost, none applied twice\n$/);
});

test("the first Ctrl-C settles, judges and ends with the table; status 0", async () => {
  let told = false;
  const { status, out } = await holdfast(["--seconds", "600", "--links", "tcp"], (text, kill) => {
    if (told || !text.includes("connected to")) return;
    told = true;
    kill("SIGINT");
  });
  assert.equal(status, 0, out);
  assert.match(out, /holdfast: ending: settling what is open/);
  assert.match(out, /holdfast demo interrupted after /);
});

test("a second signal ends it at once, without a table; status 130", async () => {
  let told = false;
  const { status, out } = await holdfast(["--seconds", "600", "--links", "tcp"], (text, kill) => {
    if (told || !text.includes("connected to")) return;
    told = true;
    kill("SIGINT"); // two of the same could arrive as one
    kill("SIGTERM");
  });
  assert.equal(status, 130, out);
  assert.doesNotMatch(out, /interrupted after/);
});

const ghost: DemoKind = {
  name: "ghost",
  start: () => Promise.reject(new ServerUnavailable("ghost", "nobody has it", ["wait for midnight"])),
};

/** The demo in this process, on other links than the command's. */
async function play(kinds: readonly DemoKind[], required: readonly string[], stormSeconds = 0) {
  const told: string[] = [];
  const narrator = plainAudience({ write: (text: string) => told.push(text) });
  const { signal } = new AbortController();
  const course =
    stormSeconds > 0
      ? { seconds: stormSeconds, seed: 1, storm: true }
      : { seconds: 0.5, seed: 1, storm: false, settleMs: 500 };
  const settings = { ...course, kinds, required, clock: systemClock, signal };
  const result = await runDemo(settings, narrator);
  const report = reportOf(result, required);
  narrator.ended(result, report, { seed: 1, seconds: 0.5, faults: "none" });
  return { report, missing: result.missing, told: told.join("") };
}

for (const [kind, server] of [
  [redis, "Redis"],
  [nats, "NATS"],
  [mysql2, "MariaDB"],
  [pg, "PostgreSQL"],
] as const) {
  test(`the ${server} link comes through the storm, every zero is zero`, async (t) => {
    checkLeaks(t);
    const { report, missing, told } = await play([kind], process.env.CI === "true" ? [kind.name] : [], 5);
    if (missing.length > 0 && process.env.CI !== "true") return t.skip(told);
    assert.equal(report.ok, true, told);
    const [link] = report.links;
    assert.ok(link && link.acknowledged > 100 && link.episodes >= 3, told);
    assert.equal(link.restored, link.episodes);
    assert.match(told, new RegExp(`${kind.name} +connected to ${server} \\d`));
  });
}

test("a server that can't be had is named with the way to get it; the demo goes on, unless it is required", async (t) => {
  checkLeaks(t);
  const without = await play([ghost, tcp], []);
  assert.equal(without.report.ok, true);
  assert.match(without.told, /ghost was left out: nobody has it\n {2}to get it: wait for midnight\n$/);
  assert.ok((without.report.links[0]?.acknowledged ?? 0) > 10, without.told);
  const required = await play([ghost, tcp], ["ghost"]);
  assert.equal(required.report.ok, false);
  assert.match(required.told, /BROKEN {2}ghost is required, but can't be had\n/);
  assert.doesNotMatch(required.told, /connected to/, "it fails at once");
});

test("a server that is here and does not start is named; the others run, and the status says so", async (t) => {
  checkLeaks(t);
  const broken: DemoKind = { name: "broken", start: () => Promise.reject(new Error("its disk is full")) };
  const { report, told } = await play([broken, tcp], []);
  assert.equal(report.ok, false);
  assert.match(told, /BROKEN {2}broken could not be started: its disk is full\n/);
  assert.doesNotMatch(told, /left out|required/);
  assert.ok((report.links[0]?.acknowledged ?? 0) > 10, told);
});

/** The TCP link with a server or client that lies; what it does to one write is its fault. */
function lying(lie: (link: DemoLink) => Partial<DemoLink>): DemoKind {
  return {
    name: "liar",
    async start(terms) {
      const link = await tcp.start(terms);
      return { ...link, ...lie(link) };
    },
  };
}

test("each broken zero is found and named", async (t) => {
  checkLeaks(t);
  const changed = (change: (counts: Map<number, number>) => void) =>
    lying((link) => ({
      async applied() {
        const counts = new Map(await link.applied());
        change(counts);
        return counts;
      },
    }));
  const notApplied = new HoldfastError("HF_LOST", "lost", { outcome: "not-applied" });
  const cases: readonly [DemoKind, RegExp][] = [
    [
      changed((counts) => void counts.delete(3)),
      /BROKEN {2}liar: 1 write acknowledged but absent at the server/,
    ],
    [changed((counts) => void counts.set(3, 2)), /BROKEN {2}liar: 1 write applied more than once/],
    [
      lying((link) => ({
        write: (id) => link.write(id).then(() => (id === 3 ? Promise.reject(notApplied) : undefined)),
      })),
      /BROKEN {2}liar: 1 write told not-applied, but applied/,
    ],
    [
      lying((link) => ({ write: (id) => (id === 3 ? new Promise(() => {}) : link.write(id)) })),
      /BROKEN {2}liar: 1 write never settled/,
    ],
    [lying(() => ({ write: () => Promise.reject(notApplied) })), /BROKEN {2}liar: nothing was acknowledged/],
  ];
  for (const [kind, named] of cases) {
    const { report, told } = await play([kind], []);
    assert.equal(report.ok, false);
    assert.match(told, named);
  }
});

test("wrong use is told with what is allowed, status 2; help is complete", async () => {
  const told = async (args: readonly string[], message: RegExp): Promise<void> => {
    const { status, err } = await holdfast(args);
    assert.equal(status, 2, args.join(" "));
    assert.match(err, message);
  };
  await told(["--seconds", "0"], /'0' is invalid.* It must be a number from 1 to 86400/);
  await told(["--seconds", "soon"], /'soon' is invalid/);
  await told(["--seed", "1.5"], /It must be a whole number from 0 to 2147483647/);
  await told(["--faults", "some"], /Allowed choices are storm, none/);
  await told(["--require", "rediss"], /Known: tcp, nats, redis, mysql2, pg; did you mean "redis"\?/);
  await told(["--secnds", "3"], /unknown option '--secnds'\s+\(Did you mean --seconds\?\)/);
  const { status, out } = await holdfast(["--help"]);
  assert.equal(status, 0);
  for (const word of ["--seconds", "--seed", "--faults", "--links", "--require", "--json", "Examples:"])
    assert.ok(out.includes(word), word);
});

test("holdfast --help names every command, and its examples are right", async () => {
  const run = (...args: string[]) => spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
  const { status, stdout } = run("--help");
  assert.equal(status, 0);
  for (const command of ["demo", "plan", "proxy"]) assert.match(stdout, new RegExp(`^ {2}${command} `, "m"));
  const preset = /^ {2}holdfast plan (\S+) /m.exec(stdout)?.[1] ?? "";
  assert.ok(Object.hasOwn(presets, preset), preset);
});
