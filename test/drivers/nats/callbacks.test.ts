import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, fromGoOptions, type NatsGoOptions } from "../../../src/drivers/nats/index.ts";
import { until } from "../../support/until.ts";
import { lose, withNats } from "./support.ts";

/** Every callback writes its name, and its error where it has one. */
function written(lines: string[]): NatsGoOptions {
  const error = (e: unknown): string => (e === undefined ? "nil" : "error");
  return {
    ConnectedCB: () => void lines.push("connected"),
    DisconnectedCB: () => void lines.push("deprecated"),
    DisconnectedErrCB: (_nc, e) => void lines.push(`disconnected ${error(e)}`),
    ReconnectedCB: () => void lines.push("reconnected"),
    ReconnectErrCB: (_nc, e) => void lines.push(`attempt ${error(e)}`),
    DiscoveredServersCB: () => void lines.push("discovered"),
    ClosedCB: () => void lines.push("closed"),
  };
}

test("N7 N8 N9 N10 [nats 42]: the callbacks, one after the other, each with its cause, closed last", async (t) => {
  const server = await withNats(t);
  if (server === undefined) return;
  const lines: string[] = [];
  let inside = 0;
  const slow = {
    DisconnectedErrCB: async (_nc: unknown, e: unknown) => {
      inside++;
      lines.push(`disconnected ${e === undefined ? "nil" : "error"}`);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
    },
    ReconnectedCB: () => {
      assert.equal(inside, 0, "no two callbacks at a time");
      lines.push("reconnected");
    },
  };
  const nc = await connect({
    ...fromGoOptions({ Url: server.url, ReconnectWait: 50, ...written(lines), ...slow }),
  });
  await lose(nc, () => server.kill9());
  await server.restart();
  await nc.flush();
  await nc.close();
  await until("closed", 5_000, () => lines.at(-1) === "closed");
  assert.deepEqual(
    lines.filter((line) => line !== "attempt error"),
    ["connected", "disconnected error", "reconnected", "disconnected nil", "closed"],
  );
});

test("N12: a slow consumer is an async error with its subscription", async (t) => {
  const server = await withNats(t);
  if (server === undefined) return;
  const subjects: string[] = [];
  const nc = await connect({
    ...fromGoOptions({
      Url: server.url,
      AsyncErrorCB: (_nc, sub, error) => {
        assert.match(String(error), /slow consumer/);
        subjects.push(sub?.getSubject() ?? "none");
      },
    }),
  });
  t.after(() => nc.close());
  nc.subscribe("slow", { slow: 3 });
  for (let i = 0; i < 10; i++) nc.publish("slow");
  await nc.flush();
  await until("the callback", 5_000, () => subjects.length > 0);
  assert.deepEqual(subjects, ["slow"]);
});

test("N24 [nats 57]: RetryOnFailedConnect: the handle works before the first connection, ConnectedCB runs at it", async (t) => {
  const server = await withNats(t);
  if (server === undefined) return;
  await server.kill9();
  for (const is of ["ConnectedCB", "ReconnectedCB"] as const) {
    const lines: string[] = [];
    const nc = await connect({
      ...fromGoOptions({
        Url: server.url,
        ReconnectWait: 30,
        RetryOnFailedConnect: true,
        ...written(lines),
        RetriedFirstConnectIs: is,
      }),
    });
    t.after(() => nc.close());
    const seen: string[] = [];
    nc.subscribe("early", { callback: (_e, msg) => void seen.push(msg.string()) });
    nc.publish("early", "bird");
    await until("a failed attempt", 5_000, () => lines.includes("attempt error"));
    await server.restart();
    await nc.flush();
    assert.deepEqual(seen, ["bird"]);
    const expected = is === "ConnectedCB" ? "connected" : "reconnected";
    await until("the callback", 5_000, () => lines.at(-1) === expected);
    await nc.close();
    await server.kill9();
  }
});

test("N3 N7 [nats 3] [nats 43] [nats 44]: without reconnecting a loss ends in closed, and the cause is told", async (t) => {
  const server = await withNats(t);
  if (server === undefined) return;
  const lines: string[] = [];
  const nc = await connect({
    ...fromGoOptions({ Url: server.url, AllowReconnect: false, ...written(lines) }),
  });
  await server.kill9();
  const why = await nc.closed();
  assert.ok(why instanceof Error, "why it closed");
  await until("closed", 5_000, () => lines.at(-1) === "closed");
  assert.deepEqual(lines, ["connected", "disconnected error", "closed"]);
  assert.ok(nc.isClosed());
  assert.throws(() => nc.publish("x"), /closed/);
});
