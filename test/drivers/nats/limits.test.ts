/** The limits that docs/nats.md names, as they are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../../src/call/index.ts";
import { connect } from "../../../src/drivers/nats/index.ts";
import { fakeNats } from "./fake-server.ts";
import { connected, next } from "./support.ts";

test("setServers throws instead of doing nothing", async (t) => {
  const server = await fakeNats(t);
  const nc = await connected(t, server.url);
  assert.throws(
    () => nc.setServers(["127.0.0.1:1"]),
    (error: unknown) => isHoldfastError(error) && error.code === "HF_OPTION",
  );
});

test("with reconnecting off a forced reconnect closes", async (t) => {
  const server = await fakeNats(t);
  const nc = await connected(t, server.url, { reconnect: false });
  await nc.reconnect();
  await nc.closed();
  assert.ok(nc.isClosed());
});

test("an unknown -ERR is told and ends nothing by itself", async (t) => {
  const server = await fakeNats(t);
  const nc = await connected(t, server.url);
  const said = next(nc, "asyncError");
  for (const socket of server.open) socket.write("-ERR 'Something New'\r\n");
  await said;
  await nc.flush();
  assert.equal(nc.resilience.snapshot().connects, 1);
});

test("WebSocket servers are refused before anything is dialled", async () => {
  await assert.rejects(
    connect({ servers: "wss://127.0.0.1:1" }),
    (error: unknown) => isHoldfastError(error) && error.code === "HF_OPTION",
  );
});
