import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { faultKinds, faultProxy, type ProxyEventName } from "../../../src/lab/index.ts";
import { checkLeaks } from "../../support/leaks.ts";
import { testServer } from "./rig.ts";

const page = readFileSync(new URL("../../../../docs/fault-proxy.md", import.meta.url), "utf8");
const rows = page.split("\n").flatMap((line) => /^\| `(\w+)` \| (.*?) \|/.exec(line)?.slice(1, 3) ?? []);
const told = new Map<string, string>();
for (let i = 0; i < rows.length; i += 2) told.set(rows[i] as string, rows[i + 1] as string);

/** Options that every kind of its sort takes; the page tells of them in another place. */
const common = ["durationMs", "label", "connections", "filter", "probability", "times", "applyTo"];

test("the page tells of every fault and of every option of its own", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  await using proxy = await faultProxy({ upstream: server.endpoint });
  assert.deepEqual([...told.keys()].sort(), [...faultKinds].sort());
  for (const kind of faultKinds) {
    const error = await proxy.fault({ kind, "?": 1 } as never).then(
      () => assert.fail("an unknown option was taken"),
      (reason: Error) => reason,
    );
    const known = /\(known: (.*)\)/.exec(error.message)?.[1]?.split(", ") ?? [];
    const own = known.filter((key) => key !== "kind" && !common.includes(key)).sort();
    const written = [...(told.get(kind) ?? "").matchAll(/`(\w+)`/g)].map(([, word]) => word as string);
    for (const key of own) assert.ok(written.includes(key), `${kind}.${key} is not in docs/fault-proxy.md`);
  }
});

test("the page names every event", () => {
  const names: Record<ProxyEventName, true> = {
    accepted: true,
    opened: true,
    upstreamFailed: true,
    closed: true,
    faultOn: true,
    faultOff: true,
    hit: true,
    cut: true,
    badCertificateAccepted: true,
    listenFailed: true,
  };
  for (const name of Object.keys(names)) assert.ok(page.includes(`\`${name}\``), name);
});
