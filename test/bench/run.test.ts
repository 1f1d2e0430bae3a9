/** The command itself: names are listed, an unknown one is an error, `--json` ends with one object. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../bench/main.js", import.meta.url));

function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--expose-gc", program, ...args]);
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, err }));
  });
}

test("without a name it lists what there is; an unknown name is told", async () => {
  const listed = await run();
  assert.equal(listed.code, 0);
  assert.match(listed.out, /^gate +a call through the gate/m);
  const unknown = await run("gate", "gait");
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /unknown bench "gait"/);
});

test("--json: the last line is one object with the machine and the reports; progress is on standard error", async () => {
  const { code, out, err } = await run("backoff", "--json");
  assert.equal(code, 0, err);
  const last = JSON.parse(out.trimEnd().split("\n").at(-1) ?? "") as {
    machine: { node: string };
    reports: { name: string; tables: { rows: string[][] }[] }[];
  };
  assert.equal(last.machine.node, process.versions.node);
  assert.deepEqual(
    last.reports.map(({ name }) => name),
    ["backoff"],
  );
  assert.equal(last.reports[0]?.tables[0]?.rows.length, 1);
  assert.match(err, /^bench: backoff/m);
  assert.doesNotMatch(out, /^bench: /m);
});
