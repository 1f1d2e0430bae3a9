import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { systemClock } from "../../src/time/index.ts";
import { checkLeaks } from "../support/leaks.ts";
import { until } from "../support/until.ts";

/** What a long computation, or a machine without time for us, does to the event loop. */
function busy(ms: number): void {
  const endMs = systemClock.nowMs() + ms;
  while (systemClock.nowMs() < endMs);
}

test("a timer that is late because the process was busy fires after what came meanwhile was read", async (t) => {
  const cleanUp = checkLeaks(t);
  const server = createServer().listen(0, "127.0.0.1");
  cleanUp(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const accepted = once(server, "connection");
  const client = connect(port, "127.0.0.1");
  cleanUp(() => client.destroy());
  const [peer] = (await accepted) as [Socket];
  cleanUp(() => peer.destroy());
  const seen: string[] = [];
  client.on("data", (bytes) => seen.push(String(bytes)));
  peer.write("warm");
  await until("the first bytes", 10_000, () => seen.length === 1);
  systemClock.setTimer(30, () => seen.push("the deadline"));
  await turn();
  peer.write("the answer"); // with the kernel at once: the computation keeps us from reading it
  busy(60);
  await until("both", 10_000, () => seen.length === 3);
  assert.deepEqual(seen, ["warm", "the answer", "the deadline"]);
});

test("late timers keep their order, also with one that is hardly late; a cancelled one never fires", async () => {
  const fired: string[] = [];
  const note = (name: string): (() => void) => {
    return () => void fired.push(name);
  };
  systemClock.setTimer(5, () => {
    fired.push("a");
    cancelled.cancel();
  });
  const cancelled = systemClock.setTimer(5, note("cancelled"));
  systemClock.setTimer(20, note("b"), { unref: true });
  systemClock.setTimer(48, note("c"));
  busy(50);
  await until("the last one", 10_000, () => fired.includes("c"));
  assert.deepEqual(fired, ["a", "b", "c"]);
});
