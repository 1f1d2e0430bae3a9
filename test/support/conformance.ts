/** The suite as tests: one for each case, named with the items it proves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  allCases,
  type ConformanceCase,
  ConformanceRun,
  type ConformanceTarget,
  ServerUnavailable,
} from "../../src/lab/index.ts";

/** Registers a test of the whole suite; the cases are its subtests. */
export function conforms(target: ConformanceTarget, cases: readonly ConformanceCase[] = allCases): void {
  test(`conformance of ${target.driver}`, async (t) => {
    let run: ConformanceRun;
    try {
      run = await ConformanceRun.start(target);
    } catch (error) {
      if (!(error instanceof ServerUnavailable) || process.env.CI === "true") throw error;
      return t.skip(error.message);
    }
    await using _run = run;
    for (const one of cases) {
      if (run.lackFor(one) !== undefined) continue; // there is nothing to test
      const items = run.itemsOf(one).map((item) => item.replace(/[[\]]/g, ""));
      const name = `${target.driver}: ${one.name}${items.length > 0 ? ` [${items.join("] [")}]` : ""}`;
      await t.test(name, async (sub) => {
        const { status, reason } = await run.run(one);
        if (status === "skipped") sub.skip(reason ?? "");
        else assert.equal(status, "passed", reason);
      });
    }
    t.diagnostic(`server: ${run.server}`);
  });
}
