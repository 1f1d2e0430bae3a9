/** Many at once: a flood through an outage, a crowd on a dead server, a client that is kicked. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../../src/call/index.ts";
import { connect } from "../../../src/drivers/nats/index.ts";
import { until } from "../../support/until.ts";
import { fakeNats } from "./fake-server.ts";
import { connected, next, quick, withNats } from "./support.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("[nats 11]: a flood through the outage does not keep it from ending; each message arrives, was refused, or is counted as unconfirmed", async (t) => {
  const server = await withNats(t);
  if (server === undefined) return;
  const nc = await connected(t, server.url, { resilience: { outbox: { bytes: 1 << 20 } } });
  const seen = new Set<number>();
  let twice = 0;
  // Its own subscription: in force before what waited is sent, and served before the PONG that confirms.
  nc.subscribe("flood", {
    callback: (_e, msg) => {
      const n = Number(msg.string());
      if (seen.has(n)) twice++;
      seen.add(n);
    },
  });
  await nc.flush();
  let unconfirmed = 0;
  nc.resilience.on("unconfirmed", ({ count }) => {
    unconfirmed += count;
  });
  const accepted: number[] = [];
  let refused = 0;
  let firstHeld = Number.POSITIVE_INFINITY;
  nc.resilience.on("disconnected", () => {
    firstHeld = Math.min(firstHeld, accepted.length === 0 ? 0 : (accepted.at(-1) as number) + 1);
  });
  let flooding = true;
  const flood = (async () => {
    for (let n = 0; flooding; n++) {
      try {
        nc.publish("flood", `${n}`);
        accepted.push(n);
      } catch (error) {
        assert.ok(isHoldfastError(error) && error.code === "HF_OUTBOX_FULL", String(error));
        refused++;
      }
      if (n % 200 === 0) await turn();
    }
  })();
  await until("a thousand", 5_000, () => accepted.length > 1_000);
  const [lost, back] = [next(nc, "disconnected"), next(nc, "reconnected")];
  await server.kill9();
  await lost;
  await until("a full outbox", 20_000, () => refused > 0);
  await server.restart();
  await back;
  flooding = false;
  await flood;
  await nc.flush();
  const missing = accepted.filter((n) => !seen.has(n));
  assert.equal(twice, 0);
  assert.ok(seen.size > 10_000, `${seen.size} arrived`);
  assert.deepEqual(
    missing.filter((n) => n >= firstHeld),
    [],
    "what waited has arrived",
  );
  assert.ok(missing.length <= unconfirmed, `${missing.length} missing, ${unconfirmed} told`);
});

test("[nats 34]: the clients of a dead server spread over the others within a half of even", async (t) => {
  const [b, c] = [await fakeNats(t), await fakeNats(t)];
  const id = (port: number): string => `127.0.0.1:${port}`;
  const a = await fakeNats(t, { info: () => ({ connect_urls: [id(b.port), id(c.port)] }) });
  // Even would be 48 each; one half off has a probability of about 1 in a million.
  const clients = await Promise.all(
    Array.from({ length: 96 }, () => connect({ ...quick, servers: a.url, noRandomize: false })),
  );
  t.after(() => Promise.all(clients.map((nc) => nc.close())));
  const all = clients.map((nc) => next(nc, "reconnected"));
  await a.close();
  await Promise.all(all);
  assert.equal(b.open.size + c.open.size, 96);
  for (const server of [b, c]) assert.ok(server.open.size >= 24, `${b.open.size} and ${c.open.size}`);
});

test("[nats 60]: a client that is kicked for too many connections goes to the other server, with that reason", async (t) => {
  const [first, second] = [await withNats(t), await withNats(t)];
  if (first === undefined || second === undefined) return;
  const clients = [
    await connected(t, [first.url, second.url]),
    await connected(t, [first.url, second.url]),
    await connected(t, [first.url, second.url]),
  ];
  const causes: string[] = [];
  for (const nc of clients) {
    assert.equal(nc.getServer(), `127.0.0.1:${first.port}`);
    nc.resilience.on("disconnected", ({ cause }) => void causes.push(String(cause)));
  }
  await first.reload({ config: { max_connections: 1 } });
  const on = (port: number): number =>
    clients.filter(
      (nc) => nc.resilience.snapshot().phase === "ready" && nc.getServer() === `127.0.0.1:${port}`,
    ).length;
  await until("two to have moved", 10_000, () => on(first.port) === 1 && on(second.port) === 2);
  for (const cause of causes.slice(0, 2)) assert.match(cause, /maximum connections exceeded/i);
  for (const nc of clients) await nc.flush();
});

test("[nats 59]: states are a stream that never blocks: unread ones are kept, one that stops disturbs no other", async (t) => {
  const server = await fakeNats(t);
  const nc = await connected(t, server.url);
  const unread = nc.status();
  const left = (async () => {
    for await (const { type } of nc.status()) if (type === "disconnect") return;
  })();
  for (let round = 0; round < 3; round++) {
    const back = next(nc, "reconnected");
    for (const socket of server.open) socket.destroy();
    await back;
  }
  await left;
  await nc.close();
  const types: string[] = [];
  for await (const { type } of unread) types.push(type);
  assert.deepEqual(
    types.filter((type) => type !== "reconnecting"),
    [...Array(3).fill(["disconnect", "reconnect"]).flat(), "disconnect", "close"],
  );
});
