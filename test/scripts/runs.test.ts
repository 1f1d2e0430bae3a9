/** `npm run conformance` and `npm run soak`: arguments, exit status, and the last line that programs read. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { root } from "../house/source.ts";
import { Checkout, type Ended } from "./checkout.ts";

/** A lab that runs nothing and answers what a test wants. */
const lab = `
export const targetNames = ["tcp", "redis"];
export const serverNames = ["redis"];
export class ServerUnavailable extends Error {}
export const loadTarget = async (driver) => ({
  driver,
  ...(driver === "tcp" && { withServer: (name) => (name === "redis" ? { driver: "tcp on redis" } : undefined) }),
});
export async function runConformance(target, { onResult }) {
  if (target.driver === "redis") throw new ServerUnavailable("no redis-server; get it by X");
  const cases = RESULTS.map((status, i) => ({ name: "case " + i, items: ["L1"], status, tookMs: 1,
    ...(status !== "passed" && { reason: "because\\nof it" }) }));
  for (const one of cases) onResult(one);
  const count = (status) => cases.filter((one) => one.status === status).length;
  return { driver: target.driver, server: "a server 1.0", passed: count("passed"), failed: count("failed"),
    skipped: count("skipped"), cases };
}
export async function soakTarget({ driver }, { minutes, seed, onHealed }) {
  if (minutes > 1) throw new Error("not healed in time");
  onHealed("rst", 7.4);
  return { driver, server: "a server 1.0", ok: seed < 100, minutes, seed, told: "told" };
}
`;

async function checkoutWith(t: TestContext, results: readonly string[] = ["passed"]): Promise<Checkout> {
  const checkout = await Checkout.make(t);
  await checkout.write("src/lab/index.ts", "");
  await checkout.write("dist/lab/index.js", lab.replace("RESULTS", JSON.stringify(results)));
  return checkout;
}

const lines = ({ stdout }: Ended): string[] => stdout.trimEnd().split("\n");
const lastObject = (ended: Ended): unknown => JSON.parse(lines(ended).at(-1) as string);

/** What is wrong with the arguments is told in one line, and nothing is run. */
async function refuses(checkout: Checkout, script: string, cases: readonly [string[], RegExp][]) {
  for (const [args, told] of cases) {
    const { status, stdout, stderr } = await checkout.run(script, ...args);
    assert.deepEqual([status, stdout], [1, ""], args.join(" "));
    assert.match(stderr, told);
    assert.doesNotMatch(stderr, /\bat .*\.m?js/, "no stack");
  }
}

test("conformance: a line for each case, and with --json last the six figures; status 1 when a case failed", async (t) => {
  const checkout = await checkoutWith(t, ["passed", "failed", "passed", "skipped"]);
  const ended = await checkout.run("conformance.mjs", "tcp", "--json");
  assert.equal(ended.status, 1);
  const counts = { driver: "tcp", server: "a server 1.0", passed: 2, failed: 1, skipped: 1 };
  assert.equal(lines(ended).at(-1), JSON.stringify(counts));
  assert.match(
    ended.stdout,
    /^passed {3}case 0 \[L1\] \(1 ms\)\nfailed {3}case 1 \[L1\] \(1 ms\)\n +because\n/,
  );
  const other = await checkout.run("conformance.mjs", "tcp", "--server", "redis", "--json");
  assert.equal((lastObject(other) as { driver: string }).driver, "tcp on redis");
  const plain = await checkout.run("conformance.mjs", "tcp");
  assert.equal(lines(plain).at(-1), "tcp on a server 1.0: 2 passed, 1 failed, 1 skipped");
});

test("conformance: status 0 when what ran passed, 1 when nothing did", async (t) => {
  const some = await (await checkoutWith(t, ["passed", "skipped"])).run("conformance.mjs", "tcp", "--json");
  assert.equal(some.status, 0);
  assert.equal((lastObject(some) as { skipped: number }).skipped, 1);
  const none = await (await checkoutWith(t, ["skipped"])).run("conformance.mjs", "tcp", "--json");
  assert.equal(none.status, 1);
});

test("conformance: wrong arguments and a server that can't be had are one line and status 1", async (t) => {
  const checkout = await checkoutWith(t);
  await checkout.run("setup.mjs");
  await refuses(checkout, "conformance.mjs", [
    [[], /^holdfast: npm run conformance -- <driver> \[--json\]; known: tcp, redis\n$/],
    [["tpc"], /unknown driver "tpc"; known: tcp, redis/],
    [["tcp", "--jsno"], /--jsno/],
    [["tcp", "--rounds", "3"], /--rounds and --rate belong to --ledger/],
    [["tcp", "--ledger", "--rounds", "0"], /--rounds is 0, but must be a whole number above 0/],
    [["tcp", "--ledger", "--server", "rdis"], /unknown server "rdis"; known: redis/],
    [["redis", "--server", "redis"], /the suite of redis does not run on the server "redis"/],
    [["tcp", "--ledger"], /holdfast\/tcp has no ledger over rolling restarts/],
    [["redis", "--json"], /^holdfast: no redis-server; get it by X\n$/],
  ]);
});

test("soak: the drivers that were asked for, each with a seed of its own; last one object", async (t) => {
  const checkout = await checkoutWith(t);
  const ended = await checkout.run("soak.mjs", "--minutes", "0.5", "--seed", "7");
  assert.equal(ended.status, 0);
  assert.match(ended.stdout, /^soaking tcp, redis for 0\.5 minutes, seed 7\n/);
  assert.match(ended.stdout, /\ntcp: rst, working again after 7 ms\n/);
  const link = { server: "a server 1.0", ok: true, minutes: 0.5 };
  assert.deepEqual(lastObject(ended), {
    ...{ ok: true, minutes: 0.5, seed: 7 },
    links: [
      { driver: "tcp", ...link, seed: 7 },
      { driver: "redis", ...link, seed: 8 },
    ],
  });
});

test("soak: status 1 when one driver's zeros broke, or its run was given up", async (t) => {
  const checkout = await checkoutWith(t);
  const broken = await checkout.run("soak.mjs", "--minutes", "0.5", "--seed", "99");
  assert.equal(broken.status, 1);
  const { ok, links } = lastObject(broken) as { ok: boolean; links: { ok: boolean }[] };
  assert.deepEqual([ok, links.map((link) => link.ok)], [false, [true, false]]);
  const given = await checkout.run("soak.mjs", "--driver", "redis"); // 10 minutes: the fake lab gives up
  assert.equal(given.status, 1);
  assert.deepEqual(lastObject(given), {
    ...{ ok: false, minutes: 10, seed: 1 },
    links: [{ driver: "redis", ok: false, reason: "not healed in time" }],
  });
});

test("soak: wrong arguments are one line and status 1", async (t) => {
  const checkout = await checkoutWith(t);
  await checkout.run("setup.mjs");
  await refuses(checkout, "soak.mjs", [
    [["--minutes", "0"], /--minutes is 0, but must be a number above 0/],
    [["--minutes", "soon"], /--minutes is soon, but must be a number above 0/],
    [["--seed", "1.5"], /--seed is 1\.5, but must be a whole number/],
    [["--driver", "tpc"], /unknown driver "tpc"; known: tcp, redis/],
    [["tcp"], /'tcp'/],
    [["--second", "3"], /--second/],
  ]);
});

test("soak: a run of one fault on the real TCP service: its status, and what became of every write", async () => {
  const ended = await new Promise<Ended>((resolve) => {
    const env: NodeJS.ProcessEnv = { ...process.env };
    delete env.NODE_TEST_CONTEXT;
    const args = [join(root, "scripts", "soak.mjs"), "--minutes", "0.01", "--driver", "tcp"];
    const child = spawn(process.execPath, args, { cwd: root, env });
    const text = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (more: string) => {
        text[name] += more;
      });
    }
    child.on("close", (status) => resolve({ status, ...text }));
  });
  const { ok, minutes, seed, links } = lastObject(ended) as Record<string, unknown> & { links: object[] };
  assert.deepEqual([minutes, seed, links.length], [0.01, 1, 1]);
  const link = links[0] as Record<string, number | string | boolean>;
  assert.deepEqual([link.driver, link.cuts], ["tcp", 1]);
  // A machine under load may miss the wanted rate between faults; then, and only then, the run is not ok.
  const fast = (link.share as number) >= 0.9;
  assert.deepEqual([ended.status, ok, link.ok], [fast ? 0 : 1, fast, fast], ended.stdout + ended.stderr);
  assert.deepEqual([link.lost, link.duplicated, link.falselyNotApplied, link.unsettled], [0, 0, 0, 0]);
  assert.ok((link.sent as number) > 0);
  assert.equal(
    link.sent,
    (link.acknowledged as number) + (link.notApplied as number) + (link.unknown as number),
  );
});
