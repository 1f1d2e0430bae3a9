/** Credentials: wrong, and expired while connected. */
import assert from "node:assert/strict";
import { isHoldfastError } from "../../../call/index.ts";
import type { ConformanceCase } from "../case.ts";
import { works } from "./losses.ts";

export const credentialCases: readonly ConformanceCase[] = [
  {
    name: "wrong credentials fail the first connect as such, and are named nowhere",
    needs: "credentials",
    async run(context) {
      const opened = context.open({ wrongCredentials: true });
      await assert.rejects(opened.client.connect(), isHoldfastError);
      assert.deepEqual(
        opened.events.of("attemptFailed").map(({ data }) => data.linkClass),
        ["auth"],
      );
      const told = JSON.stringify(opened.events.all) + JSON.stringify(opened.client.resilience.snapshot());
      assert.doesNotMatch(told + opened.client.resilience.explain(), /wrong-secret/);
    },
  },
  {
    name: "credentials that expire: the next attempt uses fresh ones",
    needs: "credentials",
    async run(context) {
      const opened = await context.connected();
      await works(context, opened);
      await context.server.rotateCredentials?.();
      await opened.events.until("reconnected");
      await works(context, opened);
    },
  },
];
