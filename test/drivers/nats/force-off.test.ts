import assert from "node:assert/strict";
import { test } from "node:test";
import { constant } from "../../../src/backoff/index.ts";
import { fromGoOptions } from "../../../src/drivers/nats/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { fakeNats } from "./fake-server.ts";
import { connected, next, withNats } from "./support.ts";

test("[nats 19]: a forced reconnect works with reconnecting off; a loss still closes", async (t) => {
  const server = await withNats(t);
  if (server === undefined) return;
  for (const spelt of [fromGoOptions({ AllowReconnect: false }), { reconnect: false }]) {
    const nc = await connected(t, server.url, spelt);
    let heard = 0;
    nc.subscribe("f", { callback: () => void heard++ });
    const back = next(nc, "reconnected");
    await nc.reconnect();
    await back;
    nc.publish("f");
    await nc.flush();
    assert.equal(heard, 1);
    await server.kill9();
    assert.ok((await nc.closed()) instanceof Error);
    await server.restart();
  }
});

test("[nats 21]: forced in the back-off of refused credentials, it connects at once with fresh ones", async (t) => {
  let valid = true;
  const server = await fakeNats(t, {
    line: (line, socket) => {
      if (!line.startsWith("CONNECT") || valid) return undefined;
      socket.end("-ERR 'Authorization Violation'\r\n");
      return false;
    },
  });
  const nc = await connected(t, server.url, {
    ignoreAuthErrorAbort: true,
    resilience: { auth: { backoff: constant(600_000) }, stableAfterMs: 0 },
  });
  valid = false;
  const refused = next(nc, "attemptFailed");
  for (const socket of server.open) socket.write("-ERR 'User Authentication Expired'\r\n");
  const { nextDelayMs } = (await refused) as { nextDelayMs: number };
  assert.equal(nextDelayMs, 600_000);
  valid = true;
  const back = next(nc, "reconnected");
  const startMs = systemClock.nowMs();
  await nc.reconnect();
  await back;
  assert.ok(systemClock.nowMs() - startMs < 60_000);
});

test("status() tells a forced reconnect as such, and the callback why", async (t) => {
  const server = await fakeNats(t);
  const causes: unknown[] = [];
  const nc = await connected(
    t,
    server.url,
    fromGoOptions({ DisconnectedErrCB: (_nc, cause) => void causes.push(cause) }),
  );
  const types: string[] = [];
  const reading = (async () => {
    for await (const { type } of nc.status()) types.push(type);
  })();
  const back = next(nc, "reconnected");
  await nc.reconnect();
  await back;
  await nc.close();
  await reading;
  assert.deepEqual(types, [
    ...["forceReconnect", "disconnect", "reconnecting", "reconnect"],
    ...["disconnect", "close"],
  ]);
  assert.match(String(causes[0]), /asked to reconnect/);
});
