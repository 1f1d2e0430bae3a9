/** Peers that are silent: the connection looks alive and nothing comes. */
import assert from "node:assert/strict";
import { isHoldfastError } from "../../../call/index.ts";
import type { Direction, FaultHandle } from "../../proxy/index.ts";
import type { ConformanceCase } from "../case.ts";
import { alert, type CaseContext } from "../context.ts";
import { Skip } from "../target.ts";
import { works } from "./losses.ts";

/** Idle probes every 200 ms with 200 ms to answer: found within this, with room for a busy machine; by default in 20 s. */
const foundMs = 10_000;

function blackHole(context: CaseContext, direction: Direction | "both"): Promise<FaultHandle> {
  return context.proxy.fault({ kind: "blackHole", direction });
}

function idleHole(direction: Direction | "both"): ConformanceCase {
  const where = { up: "towards the server", down: "towards the client", both: "both ways" }[direction];
  return {
    name: `black hole ${where}: an idle connection is found dead and replaced`,
    items: ["N14", "N15", "[nats 39]"],
    async run(context) {
      const opened = await context.connected({ resilience: alert });
      const hole = await blackHole(context, direction);
      await opened.events.until("disconnected", opened.events.of("disconnected").length + 1, foundMs);
      await hole.undo();
      await opened.client.resilience.whenReady();
      await works(context, opened);
    },
  };
}

function callInHole(direction: Direction): ConformanceCase {
  const which = direction === "up" ? "request" : "reply";
  return {
    name: `black hole: a write whose ${which} is lost is told maybe-applied by its deadline, and not sent again`,
    items: direction === "down" ? ["R2", "[mariadb-redis 38]", "[mariadb-redis 50]"] : ["[mariadb-redis 50]"],
    async run(context) {
      const opened = await context.connected({
        callDeadlineMs: 1_500,
        resilience: { ...alert, liveness: { idleProbeMs: false } },
      });
      const hole = await blackHole(context, direction);
      const id = context.nextId();
      await assert.rejects(
        opened.client.write(id),
        (error) => isHoldfastError(error) && error.outcome === "maybe-applied",
      );
      await hole.undo();
      await works(context, await context.connected());
      await works(context, opened);
      assert.equal(await context.applied(id), direction === "up" ? 0 : 1);
    },
  };
}

export const halfOpenCases: readonly ConformanceCase[] = [
  idleHole("down"),
  idleHole("up"),
  idleHole("both"),
  callInHole("down"),
  callInHole("up"),
  {
    name: "a frozen server (SIGSTOP) is found, and used again when it goes on",
    items: ["N14", "N15", "[mariadb-redis 49]"],
    async run(context) {
      const { server } = context;
      if (server.pause === undefined)
        throw new Skip("this server lives in the test's own process and can't be stopped");
      const opened = await context.connected({ callDeadlineMs: 1_500, resilience: alert });
      await server.pause();
      const id = context.nextId();
      const write = opened.client.write(id);
      write.catch(() => {});
      await opened.events.until("disconnected");
      await assert.rejects(write, (error) => isHoldfastError(error) && error.outcome === "maybe-applied");
      await server.resume?.();
      await opened.client.resilience.whenReady();
      await works(context, opened);
      assert.ok((await context.applied(id)) <= 1);
    },
  },
];
